import type { SecureContextOptions } from 'node:tls';
import type { TlsListener } from '../config/listener-schema.js';
import type { Limits } from '../config/profiles.js';
import { Authorities } from '../identity/certificate-path.js';
import { ClientTrust } from '../identity/client-trust.js';
import { OcspCheck } from '../identity/ocsp-check.js';
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

/** What happens to revocation while the broker runs. */
export interface RevocationEvents {
  /** A list was needed that has run out. */
  listExpired(issuer: string, nextUpdate: Date): void;
  /** An authority did not say whether a certificate still counts. */
  unanswered(reason: string): void;
}

/**
 * Reads every file that a TLS listener names.
 * @param told hears later of what the operator should know
 * @throws OperatorError `tls.invalid`
 */
export async function loadListenerTls(
  listener: TlsListener,
  limits: Limits,
  told: RevocationEvents,
): Promise<ListenerTls> {
  const [authorities, lists] = await Promise.all([readAuthorities(listener), readRevocationLists(listener)]);
  const material = await loadTlsMaterial(
    listener,
    authorities.map(({ certificate }) => certificate.toString()),
  );
  const revoked = lists && new RevocationLists(lists, listener.crl_expired, told.listExpired);
  const ocsp = listener.ocsp === 'off' ? undefined : new OcspCheck(listener, told.unanswered);
  const trust = new ClientTrust(new Authorities(authorities), revoked, ocsp, listener.verify_depth, limits);
  return { material, trust };
}
