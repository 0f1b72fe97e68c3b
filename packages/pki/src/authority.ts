import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { parseCertificate } from './certificate.js';
import { PkiError } from './errors.js';
import { signatureAlgorithmOf, signerOf } from './signature-algorithm.js';
import { startOfValidity } from './validity.js';
import { commonNameOnly, generatePrivateKey, type KeyAlgorithm, loadX509, randomSerialNumber } from './x509.js';

/** Who signs: a CA certificate and the key to it. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** Opaque, so that printing an authority shows no secret. */
  readonly privateKey: KeyObject;
  /** PEM of what others trust, where that is another certificate: the root above an issuing authority. */
  readonly root?: string;
  /** Where questions about its certificates are answered, by OCSP: named in every certificate. */
  readonly ocspUrl?: string;
}

export interface AuthorityOptions {
  readonly now: Date;
  /** The common name; default `Moat CA` and eight random digits, so that two authorities are never confused. */
  readonly name?: string;
  /** Default `p256`. */
  readonly algorithm?: KeyAlgorithm;
}

const LIFE_IN_YEARS = 10;

/**
 * Makes a root authority: a key and a self-signed certificate of ten years that may sign end-entity
 * certificates and revocation lists, and no other authority (RFC 5280 §4.2.1.3, §4.2.1.9).
 */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  return makeAuthority(options, undefined, 0);
}

/** Makes a root and, below it, the issuing authority that signs from day to day: the root's key can then go offline. */
export async function createAuthorities(options: AuthorityOptions): Promise<{ root: Authority; issuing: Authority }> {
  const root = await makeAuthority(options, undefined, 1);
  const name = `${options.name ?? nameOf(root)} issuing`;
  const issuing = await makeAuthority({ ...options, name }, root, 0);
  return { root, issuing: { ...issuing, root: root.certificate } };
}

async function makeAuthority(
  { now, name, algorithm }: AuthorityOptions,
  above: Authority | undefined,
  pathLength: number,
): Promise<Authority> {
  const x509 = await loadX509();
  const privateKey = await generatePrivateKey(algorithm);
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const subject = await commonNameOnly(name ?? `Moat CA ${randomBytes(4).toString('hex')}`);
  const issuer = above && new x509.X509Certificate(above.certificate);
  const notAfter = new Date(now);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + LIFE_IN_YEARS);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: randomSerialNumber(),
      subject,
      issuer: issuer?.subjectName ?? subject,
      notBefore: startOfValidity(now),
      notAfter,
      publicKey,
      ...(await signerOf(above?.privateKey ?? privateKey)),
      extensions: [
        new x509.BasicConstraintsExtension(true, pathLength, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
        ...(issuer ? [await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, webcrypto)] : []),
      ],
    },
    webcrypto,
  );
  return { certificate: `${certificate.toString('pem')}\n`, privateKey };
}

function nameOf({ certificate }: Authority): string {
  return String(parseCertificate(certificate).toLegacyObject().subject.CN);
}

/**
 * Puts a certificate and a key in PEM together as an authority.
 *
 * @param passphrase of an encrypted key (PKCS#8, RFC 5958 §3)
 * @throws PkiError `pki.invalid_file` if one is damaged, they do not belong together, or the certificate is no CA's;
 *   `pki.unsupported_key`, `pki.passphrase`
 */
export function loadAuthority(certificate: string, privateKeyPem: string, passphrase?: string): Authority {
  const parsed = parseCertificate(certificate);
  const privateKey = parsePrivateKey(privateKeyPem, passphrase);
  signatureAlgorithmOf(privateKey);
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new PkiError('pki.invalid_file', "the authority's key does not belong to its certificate");
  }
  if (!parsed.ca) throw new PkiError('pki.invalid_file', 'the certificate is not that of an authority');
  return { certificate, privateKey };
}

/** Whether a certificate in PEM is about this key. @throws PkiError `pki.invalid_file` */
export function isKeyOf(certificate: string, privateKey: KeyObject): boolean {
  return parseCertificate(certificate).checkPrivateKey(privateKey);
}

export function isEncrypted(privateKeyPem: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(privateKeyPem);
}

/** @throws PkiError `pki.invalid_file`, `pki.passphrase` */
export function parsePrivateKey(pem: string, passphrase?: string): KeyObject {
  const encrypted = isEncrypted(pem);
  if (encrypted && !passphrase) throw new PkiError('pki.passphrase', 'the private key is encrypted');
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch {
    // The cause is left out: whatever the text was, it may have been a secret.
    if (encrypted) throw new PkiError('pki.passphrase', 'the passphrase does not open the private key');
    throw new PkiError('pki.invalid_file', 'not a private key in PEM');
  }
}
