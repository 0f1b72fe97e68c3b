import { Tag } from './der.js';

/** One element of DER (X.690 §10) with these contents. */
export function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const length = contents.reduce((sum, content) => sum + content.length, 0);
  const octets: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 + octets.length, ...octets];
  return Buffer.concat([Buffer.from(header), ...contents]);
}

/** An integer that is not negative, given in hexadecimal. */
export function integer(hex: string): Buffer {
  const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return element(Tag.integer, (magnitude[0] ?? 0) < 0x80 ? magnitude : Buffer.concat([Buffer.of(0), magnitude]));
}

/** An object identifier, from dotted numbers. */
export function identifier(dotted: string): Buffer {
  const [root = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [40 * root + second, ...rest].flatMap((number) => {
    const groups = [number % 128];
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift(128 + (left % 128));
    return groups;
  });
  return element(Tag.objectIdentifier, Buffer.from(octets));
}

/** A Time of RFC 5280 §4.1.2.5, in whole seconds: UTCTime until 2049, GeneralizedTime from then on. */
export function time(date: Date): Buffer {
  return date.getUTCFullYear() < 2050 ? element(Tag.utcTime, digits(date).subarray(2)) : generalizedTime(date);
}

export function generalizedTime(date: Date): Buffer {
  return element(Tag.generalizedTime, digits(date));
}

function digits(date: Date): Buffer {
  return Buffer.from(date.toISOString().replace(/\.\d+|[-:T]/g, ''));
}

/** An extension that whoever does not know it may pass over (RFC 5280 §4.2). */
export function extension(type: string, value: Uint8Array): Buffer {
  return element(Tag.sequence, identifier(type), element(Tag.octetString, value));
}

/** PEM (RFC 7468 §2): lines of 64 characters, with a line break at the end, so that files can be joined. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}-----END ${label}-----\n`;
}
