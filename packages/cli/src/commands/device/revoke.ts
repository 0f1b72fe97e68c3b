import type { Configuration } from '@moat/broker';
import type { RevocationReason } from '@moat/pki';
import { askBroker } from '../../admin-socket.js';
import { CommandError } from '../../failure.js';
import type { ConfigurationOptions } from '../../local-broker.js';
import { authorityOf } from './authority.js';

interface RevokeOptions extends ConfigurationOptions {
  readonly reason: RevocationReason;
  readonly json?: true;
}

export async function revokeDevice(name: string, options: RevokeOptions): Promise<void> {
  const { store, configuration } = await authorityOf(options);
  const revoked = await store.revoke({ name }, { now: new Date(), reason: options.reason });
  // All that were ever revoked: the broker may not have heard of an earlier one.
  const fingerprints = (await store.listIssued())
    .filter((one) => one.kind === 'device' && one.name === name && one.revocation)
    .map(({ fingerprint }) => fingerprint);
  const disconnected = await tellBroker(options, fingerprints);
  if (options.json) return console.log(JSON.stringify({ name, revoked, disconnected: disconnected ?? null }));
  const count = revoked.length;
  console.log(count === 0 ? `${name} had no valid certificate` : `revoked ${plural(count, 'certificate')} of ${name}`);
  if (disconnected) console.log(`ended ${plural(disconnected, 'connection')}`);
  if (configuration.listeners.some(isUnaware))
    console.error('moat: a TLS listener has no crlfile, so it lets revoked devices in again (crlfile: pki/ca.crl)');
}

/** How many connections ended; undefined when no broker runs, which reads the list when it starts. */
async function tellBroker(options: ConfigurationOptions, fingerprints: string[]): Promise<number | undefined> {
  try {
    const path = '/certificates/revoked';
    return (await askBroker<{ disconnected: number }>(options, 'POST', path, { fingerprints })).disconnected;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === 3) return undefined;
    throw error;
  }
}

function isUnaware(listener: Configuration['listeners'][number]): boolean {
  return (listener.protocol === 'mqtts' || listener.protocol === 'wss') && listener.crlfile === undefined;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
