import { CommandError } from '../../failure.js';
import type { ConfigurationOptions } from '../../local-broker.js';
import { formatPairs } from '../../output/table.js';
import { authorityOf } from './authority.js';
import { stateOf } from './list.js';

interface ShowOptions extends ConfigurationOptions {
  readonly json?: true;
}

export async function showDevice(name: string, options: ShowOptions): Promise<void> {
  const { store } = await authorityOf(options);
  const history = (await store.listIssued()).filter((one) => one.kind === 'device' && one.name === name).reverse();
  if (history.length === 0)
    throw new CommandError(1, `no device ${name} has a certificate`, { hint: 'moat device list shows those that do' });
  const now = new Date();
  const certificates = history.map((one) => ({ ...one, state: stateOf(one, now) }));
  if (options.json) return console.log(JSON.stringify({ name, certificates }, undefined, 2));
  const texts = certificates.map(({ state, serialNumber, fingerprint, notBefore, notAfter, revocation }) =>
    formatPairs([
      ['state', revocation ? `revoked ${revocation.at.toISOString()} (${revocation.reason})` : state],
      ['valid', `${notBefore.toISOString()} to ${notAfter.toISOString()}`],
      ['serial number', serialNumber],
      ['SHA-256 fingerprint', fingerprint],
    ]),
  );
  console.log(texts.join('\n\n'));
}
