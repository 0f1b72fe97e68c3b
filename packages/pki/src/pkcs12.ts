import { createHash, createHmac, type KeyObject, randomBytes } from 'node:crypto';
import { Tag } from './der.js';
import { element, identifier, integer } from './der-writer.js';
import { pemBlocks } from './pem.js';

export interface Pkcs12Content {
  readonly privateKey: KeyObject;
  /** PEM: the certificate of that key first, then those above it. */
  readonly certificates: string;
  /** How the entry is called. */
  readonly name: string;
}

/** Object identifiers of RFC 7292 and those that it uses. */
const oid = {
  data: '1.2.840.113549.1.7.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;

const ITERATIONS = 100_000;
/** Of SHA-256, in octets: input block and result. */
const [BLOCK, DIGEST] = [64, 32];
const MAC_KEY = 3;

/**
 * Packs a key and its certificates as PKCS#12 (RFC 7292): the key in AES-256-CBC by PBES2, the whole under HMAC with
 * SHA-256. Certificates are no secret and stay readable. Java, Windows, macOS and OpenSSL open it.
 */
export function writePkcs12({ privateKey, certificates, name }: Pkcs12Content, password: string): Buffer {
  const ders = pemBlocks(certificates, 'CERTIFICATE');
  const keyId = createHash('sha1')
    .update(ders[0] ?? '')
    .digest();
  const attributes = element(
    Tag.set,
    sequence(identifier(oid.friendlyName), element(Tag.set, element(Tag.bmpString, bmp(name)))),
    sequence(identifier(oid.localKeyId), element(Tag.set, element(Tag.octetString, keyId))),
  );
  const certificateBags = ders.map((der, index) => {
    const bag = sequence(identifier(oid.x509Certificate), explicit(element(Tag.octetString, der)));
    return sequence(identifier(oid.certBag), explicit(bag), ...(index === 0 ? [attributes] : []));
  });
  const shrouded = privateKey.export({ type: 'pkcs8', format: 'der', cipher: 'aes-256-cbc', passphrase: password });
  const keyBag = sequence(identifier(oid.shroudedKeyBag), explicit(shrouded), attributes);
  const safe = sequence(data(sequence(...certificateBags)), data(sequence(keyBag)));
  const salt = randomBytes(16);
  const mac = createHmac('sha256', deriveKey(password, salt)).update(safe).digest();
  const digest = sequence(sequence(identifier(oid.sha256), element(0x05)), element(Tag.octetString, mac));
  const macData = sequence(digest, element(Tag.octetString, salt), integer(ITERATIONS.toString(16)));
  return sequence(integer('03'), data(safe), macData);
}

function sequence(...contents: readonly Uint8Array[]): Buffer {
  return element(Tag.sequence, ...contents);
}

/** Context-specific tag 0, explicit. */
function explicit(content: Uint8Array): Buffer {
  return element(0xa0, content);
}

/** A ContentInfo that holds these octets as they are. */
function data(content: Uint8Array): Buffer {
  return sequence(identifier(oid.data), explicit(element(Tag.octetString, content)));
}

function bmp(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16();
}

/** The key of the MAC (RFC 7292 appendix B.2); it fits in one digest, so that nothing has to be carried on. */
function deriveKey(password: string, salt: Buffer): Buffer {
  const secret = Buffer.concat([bmp(password), Buffer.alloc(2)]);
  let key = Buffer.concat([Buffer.alloc(BLOCK, MAC_KEY), repeated(salt), repeated(secret)]);
  for (let round = 0; round < ITERATIONS; round++) key = createHash('sha256').update(key).digest();
  return key.subarray(0, DIGEST);
}

/** As many copies as fill whole blocks. */
function repeated(octets: Buffer): Buffer {
  return Buffer.alloc(BLOCK * Math.ceil(octets.length / BLOCK), octets);
}
