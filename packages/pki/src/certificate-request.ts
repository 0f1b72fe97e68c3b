import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import { PkiError } from './errors.js';
import { signatureAlgorithmOf } from './signature-algorithm.js';
import { loadX509 } from './x509.js';

/** What a certificate request asks for, once it has proven that the asker holds the key. */
export interface CertificateRequest {
  /** The common name of the subject. */
  readonly name: string;
  readonly publicKey: KeyObject;
}

/** Far more than a request with an RSA key of 4096 bits takes. */
const LONGEST_REQUEST = 16_384;

/**
 * Reads a certificate request (PKCS#10, RFC 2986) in PEM or DER and checks its signature: whoever made it holds the
 * private key. Of what it asks for only the common name and the key count; the authority decides the rest.
 *
 * @throws PkiError `pki.invalid_request`, `pki.unsupported_key`
 */
export async function readCertificateRequest(request: string | Uint8Array): Promise<CertificateRequest> {
  if (request.length > LONGEST_REQUEST) throw invalid(`is longer than ${LONGEST_REQUEST} octets`);
  const x509 = await loadX509();
  const parsed = parse(request, (bytes) => new x509.Pkcs10CertificateRequest(bytes));
  const names = parsed.subjectName.getField('CN');
  const [name] = names;
  if (name === undefined || names.length > 1) throw invalid('does not have one common name in its subject');
  const publicKey = parse(parsed.publicKey.rawData, (key) =>
    createPublicKey({ key: Buffer.from(key), type: 'spki', format: 'der' }),
  );
  signatureAlgorithmOf(publicKey); // throws for weak ones
  if (!(await parsed.verify(webcrypto).catch(() => false))) throw invalid('was not signed with the key that it holds');
  return { name, publicKey };
}

function parse<Input, T>(input: Input, read: (input: Input) => T): T {
  try {
    return read(input);
  } catch (cause) {
    throw invalid('is not a PKCS#10 request in PEM or DER', cause);
  }
}

function invalid(what: string, cause?: unknown): PkiError {
  return new PkiError('pki.invalid_request', `the certificate request ${what}`, { cause });
}
