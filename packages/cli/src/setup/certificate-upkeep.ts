import { join } from 'node:path';
import type { Configuration, Log } from '@moat/broker';
import { type AuthorityStore, describeCertificate, openAuthority, PkiError } from '@moat/pki';
import { authorityFacts } from './authority-facts.js';
import { caPassphrase } from './ca-passphrase.js';

/** What was made anew. */
export interface Upkeep {
  readonly server: boolean;
  readonly revocationList: boolean;
  readonly responder: boolean;
}

const nothing: Upkeep = { server: false, revocationList: false, responder: false };

/**
 * Renews the server's certificate and the revocation list of the authority in the data directory, and the certificate of
 * its OCSP responder if there is one, where they are due. Files of
 * the operator's own, without the authority's key, are left alone.
 *
 * What goes wrong is logged: a broker whose certificate is still good must start.
 */
export async function keepUpCertificates(
  configuration: Pick<Configuration, 'data_dir' | 'pki'>,
  now: Date,
  log: Log,
): Promise<Upkeep> {
  try {
    const store = await openAuthority(join(configuration.data_dir, 'pki'), caPassphrase, authorityFacts(configuration));
    const done = {
      server: await renewServer(store, now),
      revocationList: await store.refreshRevocationList(now),
      responder: await store.refreshResponder(now),
    };
    if (Object.values(done).some(Boolean)) log.info({ ...done }, 'renewed certificates');
    return done;
  } catch (error) {
    if (error instanceof PkiError && error.code === 'pki.not_found') return nothing;
    log.warn({ reason: String(error) }, 'cannot renew certificates');
    return nothing;
  }
}

/** For the same names and as long as before; what another authority has issued is not ours to renew. */
async function renewServer(store: AuthorityStore, now: Date): Promise<boolean> {
  const due = await store.serverDue(now);
  if (due === undefined) return false;
  const { alternativeNames, notBefore, notAfter } = describeCertificate(due);
  const days = (notAfter.getTime() - notBefore.getTime()) / 86_400_000;
  await store.issueServer({ hosts: alternativeNames.map(({ value }) => value), days, now });
  return true;
}
