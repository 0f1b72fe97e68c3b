import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import { PkiError } from './errors.js';
import { loadX509 } from './x509.js';

/** What a certificate request asks for, once it has proven that the asker holds the key. */
export interface CertificateRequest {
  /** The common name of the subject. */
  readonly name: string;
  readonly publicKey: KeyObject;
}

/** Far more than a request with an RSA key of 4096 bits takes. */
const LONGEST_REQUEST = 16_384;
const LEAST_RSA_BITS = 2048;
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1'];

/**
 * Reads a certificate request (PKCS#10, RFC 2986) in PEM or DER and checks its signature: whoever made it holds the
 * private key. Of what it asks for only the common name and the key count; the authority decides the rest.
 *
 * @throws PkiError `pki.invalid_request`
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
  assertKeyStrength(publicKey);
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

function assertKeyStrength({ asymmetricKeyType, asymmetricKeyDetails = {} }: KeyObject): void {
  if (asymmetricKeyType === 'ed25519') return;
  if (asymmetricKeyType === 'ec' && CURVES.includes(asymmetricKeyDetails.namedCurve)) return;
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails.modulusLength ?? 0) >= LEAST_RSA_BITS) return;
  throw invalid(`has a key that is none of P-256, P-384, Ed25519, RSA from ${LEAST_RSA_BITS} bits`);
}

function invalid(what: string, cause?: unknown): PkiError {
  return new PkiError('pki.invalid_request', `the certificate request ${what}`, { cause });
}
