import type { ListedCertificate } from '@moat/pki';
import type { ConfigurationOptions } from '../../local-broker.js';
import { formatTable } from '../../output/table.js';
import { authorityOf } from './authority.js';

interface ListOptions extends ConfigurationOptions {
  readonly json?: true;
}

export async function listDevices(options: ListOptions): Promise<void> {
  const { store } = await authorityOf(options);
  const devices = (await store.listIssued()).filter(({ kind }) => kind === 'device');
  if (options.json) return console.log(JSON.stringify(devices, undefined, 2));
  const now = new Date();
  const rows = devices.map((one) => [
    one.name,
    stateOf(one, now),
    one.notAfter.toISOString().slice(0, 10),
    one.serialNumber,
  ]);
  console.log(formatTable(['NAME', 'STATE', 'UNTIL', 'SERIAL NUMBER'], rows));
}

export function stateOf({ revocation, notAfter }: ListedCertificate, now: Date): 'valid' | 'expired' | 'revoked' {
  if (revocation) return 'revoked';
  return notAfter <= now ? 'expired' : 'valid';
}
