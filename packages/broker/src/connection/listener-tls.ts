import type { SecureContextOptions } from 'node:tls';
import type { TlsListener } from '../config/listener-schema.js';
import type { Limits } from '../config/profiles.js';
import { Authorities } from '../identity/certificate-path.js';
import { ClientTrust } from '../identity/client-trust.js';
import { RevocationLists } from '../identity/revocation-lists.js';
import { readAuthorities, readRevocationLists } from '../identity/trust-files.js';
import { loadTlsMaterial } from '../transport/tls-material.js';

/** What the files of a TLS listener come to. */
export interface ListenerTls {
  /** For the handshake. */
  readonly material: SecureContextOptions;
  /** For what comes after it. */
  readonly trust: ClientTrust;
}

/**
 * Reads every file that a TLS listener names.
 * @param listExpired told of a revocation list that has run out, with its issuer
 * @throws OperatorError `tls.invalid`
 */
export async function loadListenerTls(
  listener: TlsListener,
  limits: Limits,
  listExpired: (issuer: string, nextUpdate: Date) => void,
): Promise<ListenerTls> {
  const [authorities, lists] = await Promise.all([readAuthorities(listener), readRevocationLists(listener)]);
  const material = await loadTlsMaterial(
    listener,
    authorities.map(({ certificate }) => certificate.toString()),
  );
  const revoked = lists && new RevocationLists(lists, listener.crl_expired, listExpired);
  return { material, trust: new ClientTrust(new Authorities(authorities), revoked, listener.verify_depth, limits) };
}
