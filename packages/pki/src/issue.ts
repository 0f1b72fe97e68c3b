import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import type { Authority } from './authority.js';
import type { AlternativeName } from './certificate.js';
import { readCertificate } from './certificate-content.js';
import { element } from './der-writer.js';
import { assertDeviceName } from './device-name.js';
import { PkiError } from './errors.js';
import { parseHost } from './host-name.js';
import { keyIdentifierOf } from './key-identifier.js';
import { signerOf } from './signature-algorithm.js';
import { endOfValidity, startOfValidity } from './validity.js';
import { commonNameOnly, generatePrivateKey, loadX509, randomSerialNumber } from './x509.js';

/** A certificate and the key to it. */
export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** Opaque, so that printing it shows no secret. */
  readonly privateKey: KeyObject;
}

export interface ServerCertificateOptions {
  /** Host names and IP addresses that clients reach the server by, at least one. */
  readonly hosts: readonly string[];
  readonly days: number;
  readonly now: Date;
  /** A key to certify anew; default a fresh one. */
  readonly privateKey?: KeyObject;
}

export interface DeviceCertificateOptions {
  readonly name: string;
  readonly days: number;
  readonly now: Date;
}

/** ub-common-name (RFC 5280 appendix A.1). */
const LONGEST_COMMON_NAME = 64;

/**
 * Issues the certificate of a TLS server: every host is a subject alternative name (RFC 5280 §4.2.1.6), the
 * extended key usage is id-kp-serverAuth alone (§4.2.1.12).
 *
 * @throws PkiError `pki.invalid_host`, `pki.invalid_days`, `pki.authority_expired`
 */
export async function issueServerCertificate(
  authority: Authority,
  options: ServerCertificateOptions,
): Promise<IssuedCertificate> {
  const hosts = options.hosts.map(parseHost);
  if (hosts.length === 0) throw new PkiError('pki.invalid_host', 'a server certificate needs at least one host');
  const commonName = hosts.find(({ value }) => value.length <= LONGEST_COMMON_NAME)?.value ?? 'Moat server';
  const privateKey = options.privateKey ?? (await generatePrivateKey());
  const subject = { commonName, alternativeNames: hosts, usage: 'serverAuth' } as const;
  return { certificate: await certify(authority, createPublicKey(privateKey), subject, options), privateKey };
}

/**
 * Makes a key for a device and {@link certifyDevice | certifies} it.
 *
 * @throws PkiError `pki.invalid_name`, `pki.invalid_days`, `pki.authority_expired`
 */
export async function issueDeviceCertificate(
  authority: Authority,
  options: DeviceCertificateOptions,
): Promise<IssuedCertificate> {
  const privateKey = await generatePrivateKey();
  return { certificate: await certifyDevice(authority, createPublicKey(privateKey), options), privateKey };
}

/**
 * Issues the certificate of a device for a public key, whoever made it: its name is the common name, the extended key
 * usage is id-kp-clientAuth alone. The alternative name is a URI, so that no client which falls back to the common
 * name (RFC 6125 §6.4.4) can take a device called `broker.example.com` for that server.
 *
 * @returns PEM
 * @throws PkiError `pki.invalid_name`, `pki.invalid_days`, `pki.authority_expired`
 */
export async function certifyDevice(
  authority: Authority,
  publicKey: KeyObject,
  options: DeviceCertificateOptions,
): Promise<string> {
  assertDeviceName(options.name);
  const uri = `urn:moat:device:${encodeURIComponent(options.name)}`;
  const subject = {
    commonName: options.name,
    alternativeNames: [{ type: 'uri', value: uri }],
    usage: 'clientAuth',
  } as const;
  return certify(authority, publicKey, subject, options);
}

/**
 * Issues the certificate that the bearers of an invite show, which proves that and nothing else: no device can have the
 * name in it.
 *
 * @returns PEM
 * @throws PkiError `pki.invalid_days`, `pki.authority_expired`
 */
export async function certifyClaim(
  authority: Authority,
  publicKey: KeyObject,
  { id, ...life }: { readonly id: string; readonly days: number; readonly now: Date },
): Promise<string> {
  const subject = { commonName: `$claim:${id}`, alternativeNames: [], usage: 'clientAuth' } as const;
  return certify(authority, publicKey, subject, life);
}

/**
 * Issues the certificate of an OCSP responder (RFC 6960 §4.2.2.2): nobody is to ask whether it still counts, so it should
 * not live long.
 *
 * @returns PEM
 * @throws PkiError `pki.invalid_days`, `pki.authority_expired`
 */
export async function certifyResponder(
  authority: Authority,
  publicKey: KeyObject,
  life: { readonly days: number; readonly now: Date },
): Promise<string> {
  const subject = { commonName: '$ocsp', alternativeNames: [], usage: 'ocspSigning' } as const;
  return certify(authority, publicKey, subject, life);
}

interface Subject {
  readonly commonName: string;
  readonly alternativeNames: readonly (AlternativeName & { readonly type: 'dns' | 'ip' | 'uri' })[];
  readonly usage: 'serverAuth' | 'clientAuth' | 'ocspSigning';
}

/** Signs an end-entity certificate for a public key, whoever holds the private one. */
async function certify(
  authority: Authority,
  publicKey: KeyObject,
  subject: Subject,
  { now, days }: { readonly now: Date; readonly days: number },
): Promise<string> {
  const notAfter = endOfValidity(authority.certificate, now, days);
  const x509 = await loadX509();
  const issuer = new x509.X509Certificate(authority.certificate);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const names = subject.alternativeNames.map(
    ({ type, value }) => ({ type: type === 'uri' ? 'url' : type, value }) as const,
  );
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: randomSerialNumber(),
      subject: await commonNameOnly(subject.commonName),
      issuer: issuer.subjectName,
      notBefore: startOfValidity(now),
      notAfter,
      publicKey: spki,
      ...(await signerOf(authority.privateKey)),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[subject.usage]]),
        ...statusOf(x509, authority, subject),
        ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
        await x509.SubjectKeyIdentifierExtension.create(spki, false, webcrypto),
        new x509.AuthorityKeyIdentifierExtension(
          keyIdentifierOf(readCertificate(Buffer.from(issuer.rawData))).toString('hex'),
        ),
      ],
    },
    webcrypto,
  );
  // What leads up to the root goes with it (RFC 8446 §4.4.2); the root itself is known.
  const chain = authority.root === undefined ? '' : authority.certificate;
  return `${certificate.toString('pem')}\n${chain}`;
}

/** id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1). */
const NO_CHECK = '1.3.6.1.5.5.7.48.1.5';

/** How to learn whether a certificate still counts: by asking a responder, except about the responder itself. */
function statusOf(
  x509: Awaited<ReturnType<typeof loadX509>>,
  { ocspUrl }: Authority,
  { usage }: Subject,
): InstanceType<typeof x509.Extension>[] {
  if (usage === 'ocspSigning') return [new x509.Extension(NO_CHECK, false, element(0x05))];
  return ocspUrl === undefined ? [] : [new x509.AuthorityInfoAccessExtension({ ocsp: [ocspUrl] })];
}
