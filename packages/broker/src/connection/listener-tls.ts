import { readFile } from 'node:fs/promises';
import type { SecureContextOptions } from 'node:tls';
import type { TlsListener } from '../config/listener-schema.js';
import type { Limits } from '../config/profiles.js';
import { OperatorError } from '../errors.js';
import { Authorities, type Authority } from '../identity/certificate-path.js';
import { ClientTrust } from '../identity/client-trust.js';
import { OcspCheck } from '../identity/ocsp-check.js';
import { OcspStaple, withIssuer } from '../identity/ocsp-staple.js';
import { PskFile } from '../identity/psk-file.js';
import { RevocationLists } from '../identity/revocation-lists.js';
import { readAuthorities, readRevocationLists } from '../identity/trust-files.js';
import { loadTlsMaterial } from '../transport/tls-material.js';

/** Whose client certificates count on a listener. */
export interface ListenerTrust {
  readonly authorities: readonly Authority[];
  readonly trust: ClientTrust;
  readonly psk: PskFile | undefined;
}

/** What a listener shows of itself under some of its names. */
interface ShownCertificate {
  readonly context: SecureContextOptions;
  /** For clients that ask in the handshake whether this certificate still counts; to be started. */
  readonly staple: OcspStaple | undefined;
}

/** What a listener shows of itself. */
export interface ListenerIdentity {
  /** The first for whoever asks for no name, or for another's. */
  readonly certificates: readonly [ShownCertificate, ...ShownCertificate[]];
}

/** What the files of a TLS listener come to. */
export type ListenerTls = ListenerTrust & ListenerIdentity;

/** What happens to revocation while the broker runs. */
export interface RevocationEvents {
  /** A list has run out, and there is no newer one. */
  listExpired(issuer: string, nextUpdate: Date): void;
  /** An authority did not say whether a certificate still counts: a client's, or the server's own. */
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
  const trust = await loadTrust(listener, limits, told);
  return { ...trust, ...(await loadIdentity(listener, trust, told)) };
}

/** The half of it that is about clients. @throws OperatorError `tls.invalid` */
export async function loadTrust(listener: TlsListener, limits: Limits, told: RevocationEvents): Promise<ListenerTrust> {
  const [authorities, lists] = await Promise.all([readAuthorities(listener), readRevocationLists(listener)]);
  const revoked = lists && new RevocationLists(lists, listener.crl_expired, told.listExpired);
  revoked?.prepare(authorities, Date.now());
  const ocsp = listener.ocsp === 'off' ? undefined : new OcspCheck(listener, told.unanswered);
  const trust = new ClientTrust(new Authorities(authorities), revoked, ocsp, listener.verify_depth, limits);
  const psk = listener.psk_file === undefined ? undefined : await PskFile.load(listener.psk_file);
  return { authorities, trust, psk };
}

/** The half of it that is about the server. @throws OperatorError `tls.invalid` */
export async function loadIdentity(
  listener: TlsListener,
  { authorities }: ListenerTrust,
  told: RevocationEvents,
): Promise<ListenerIdentity> {
  const pem = authorities.map(({ certificate }) => certificate.toString());
  const load = async (shown: TlsListener): Promise<ShownCertificate> => ({
    context: await loadTlsMaterial(shown, pem),
    staple: await loadStaple(shown, authorities, told),
  });
  const ofAnother = { keyfile_passphrase: undefined, ocsp_stapling_file: undefined };
  const others = listener.more_certificates.map((files) => load({ ...listener, ...ofAnother, ...files }));
  return { certificates: await Promise.all([load(listener), ...others]) };
}

async function loadStaple(
  { certfile, ocsp_stapling, ocsp_stapling_file, ocsp_timeout }: TlsListener,
  authorities: readonly Authority[],
  told: RevocationEvents,
): Promise<OcspStaple | undefined> {
  if (!ocsp_stapling && ocsp_stapling_file === undefined) return undefined;
  const subject = withIssuer(await readFile(certfile, 'latin1'), authorities);
  if (subject === undefined) {
    const hint = 'put it behind the certificate of the server';
    throw new OperatorError('tls.invalid', 'does not hold the certificate of its issuer, which OCSP stapling needs', {
      place: { file: certfile, line: 1, column: 1 },
      hint,
    });
  }
  if (ocsp_stapling_file === undefined) return new OcspStaple(subject, ocsp_timeout * 1_000, told.unanswered);
  try {
    return OcspStaple.of(subject, await readFile(ocsp_stapling_file));
  } catch (error) {
    // Whoever renews it may be late: clients that ask get no answer meanwhile.
    told.unanswered(
      `${ocsp_stapling_file} holds no answer about the server's certificate: ${(error as Error).message}`,
    );
    return undefined;
  }
}
