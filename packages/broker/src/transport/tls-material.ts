import { constants, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { OperatorError } from '../errors.js';

/** Where a certificate of a TLS listener is, and its key; the configuration's names. */
interface CertificateFiles {
  readonly certfile: string;
  readonly keyfile: string;
  readonly keyfile_passphrase?: string | undefined;
}

/** Where a TLS listener finds its own keys, and what it speaks; the configuration's names. */
export interface TlsOptions extends CertificateFiles {
  readonly more_certificates: readonly CertificateFiles[];
  readonly tls_version: 'tlsv1.2' | 'tlsv1.3';
  readonly ciphers: string;
  readonly psk_file?: string | undefined;
  readonly alpn: readonly string[];
  /** Whether clients are asked for a certificate. */
  readonly request_certificate: boolean;
}

/** What a TLS listener needs for the handshakes in which it shows one of its certificates. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** DER of the OCSP answer about the certificate, if one is given to clients that ask, and there is one now. */
  readonly staple: (() => Buffer | undefined) | undefined;
}

const versions = { 'tlsv1.2': 'TLSv1.2', 'tlsv1.3': 'TLSv1.3' } as const;

/** What TLS 1.2 has for pre-shared keys that is forward secret and authenticated. */
const pskCiphers = 'ECDHE-PSK-CHACHA20-POLY1305';

/**
 * A resumed session would skip the client certificate and its revocation; a handshake on a connection that has had one, which
 * TLS 1.2 knows, would pass by all that bounds handshakes.
 */
const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION;

/**
 * Reads and checks what a TLS listener needs to show its first certificate.
 * @param authorities PEM of those that may vouch for clients. OpenSSL is given no revocation lists: who is revoked is
 *   judged behind it
 * @throws OperatorError `tls.invalid` naming the file that is missing, unreadable or does not fit
 */
export async function loadTlsMaterial(
  options: TlsOptions,
  authorities: readonly string[],
): Promise<SecureContextOptions> {
  const [cert, key] = await Promise.all([read(options.certfile, 'certfile'), read(options.keyfile, 'keyfile')]);
  checkCertificate(options, cert);
  const context: SecureContextOptions = {
    cert,
    key,
    ca: [...authorities],
    ...(options.keyfile_passphrase === undefined ? {} : { passphrase: options.keyfile_passphrase }),
    minVersion: versions[options.tls_version],
    ciphers: options.psk_file === undefined ? options.ciphers : `${options.ciphers}:${pskCiphers}`,
    ecdhCurve: 'X25519:P-256:P-384',
    honorCipherOrder: true,
    secureOptions,
  };
  try {
    createSecureContext(context);
  } catch (cause) {
    throw new OperatorError('tls.invalid', `TLS files do not fit together: ${reason(cause)}`, {
      place: { file: options.keyfile, line: 1, column: 1 },
      hint: `is it the key of ${options.certfile}${key.includes('ENCRYPTED') ? ', and keyfile_passphrase its passphrase' : ''}?`,
      cause,
    });
  }
  return context;
}

async function read(file: string, key: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new OperatorError('tls.invalid', `cannot read ${key} ${file}: ${reason(cause)}`, {
      hint: 'moat init makes one',
      cause,
    });
  }
}

function checkCertificate({ certfile }: TlsOptions, pem: Buffer): void {
  const place = { file: certfile, line: 1, column: 1 };
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (cause) {
    throw new OperatorError('tls.invalid', 'is not a certificate in PEM form', { place, cause });
  }
  if (Date.parse(certificate.validTo) < Date.now())
    throw new OperatorError('tls.invalid', `the certificate expired on ${certificate.validTo}`, { place });
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
