import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { parseCertificate } from './certificate.js';
import { PkiError } from './errors.js';
import { startOfValidity } from './validity.js';
import { commonNameOnly, ECDSA, generatePrivateKey, loadX509, randomSerialNumber, signingKeyOf } from './x509.js';

/** Who signs: a CA certificate and the key to it. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** Opaque, so that printing an authority shows no secret. */
  readonly privateKey: KeyObject;
}

export interface AuthorityOptions {
  readonly now: Date;
  /** The common name; default `Moat CA` and eight random digits, so that two authorities are never confused. */
  readonly name?: string;
}

const LIFE_IN_YEARS = 10;

/**
 * Makes a root authority: a P-256 key and a self-signed certificate of ten years that may sign end-entity
 * certificates and revocation lists, and no other authority (RFC 5280 §4.2.1.3, §4.2.1.9).
 */
export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const x509 = await loadX509();
  const privateKey = await generatePrivateKey();
  const signingKey = await signingKeyOf(privateKey);
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const name = await commonNameOnly(options.name ?? `Moat CA ${randomBytes(4).toString('hex')}`);
  const notAfter = new Date(options.now);
  notAfter.setUTCFullYear(notAfter.getUTCFullYear() + LIFE_IN_YEARS);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: randomSerialNumber(),
      subject: name,
      issuer: name,
      notBefore: startOfValidity(options.now),
      notAfter,
      publicKey,
      signingKey,
      signingAlgorithm: ECDSA,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: `${certificate.toString('pem')}\n`, privateKey };
}

/**
 * Puts a certificate and a key in PEM together as an authority.
 *
 * @throws PkiError `pki.invalid_file` if one is damaged, they do not belong together, or the certificate is no CA's
 */
export function loadAuthority(certificate: string, privateKeyPem: string): Authority {
  const parsed = parseCertificate(certificate);
  const privateKey = parsePrivateKey(privateKeyPem);
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new PkiError('pki.invalid_file', 'the key of the authority is not on the curve P-256');
  }
  if (!parsed.checkPrivateKey(privateKey)) {
    throw new PkiError('pki.invalid_file', "the authority's key does not belong to its certificate");
  }
  if (!parsed.ca) throw new PkiError('pki.invalid_file', 'the certificate is not that of an authority');
  return { certificate, privateKey };
}

/** @throws PkiError `pki.invalid_file` */
export function parsePrivateKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The cause is left out: whatever the text was, it may have been a secret.
    throw new PkiError('pki.invalid_file', 'not a private key in PEM');
  }
}
