import { join } from 'node:path';
import type { Configuration, Log } from '@moat/broker';
import { type AuthorityStore, openAuthority, PkiError } from '@moat/pki';
import { authorityFacts } from './authority-facts.js';
import { caPassphrase } from './ca-passphrase.js';

/**
 * The authority that answers devices which renew their certificate or use an invite. Where its key is not at hand, the
 * broker goes on without: undefined, and a word in the log.
 */
export async function authorityForDevices(configuration: Configuration, log: Log): Promise<AuthorityStore | undefined> {
  try {
    return await openAuthority(join(configuration.data_dir, 'pki'), caPassphrase, authorityFacts(configuration));
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    if (error.code !== 'pki.not_found') log.warn({ reason: String(error) }, 'devices cannot renew certificates here');
    return undefined;
  }
}
