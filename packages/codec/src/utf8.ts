import { CodecError } from './error.js';
import { decodeAscii, decodeStrictUtf8 } from './platform.js';
import { ReasonCode } from './reason-code.js';

/** The most bytes that the two-byte length of a string or of binary data can tell. */
export const MAXIMUM_LENGTH = 65_535;

/** The string in `bytes[start, end)`. Throws {@link CodecError} 0x81 when it is not the UTF-8 that the standard allows. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) throw nullCharacter();
    if (byte > 0x7f) return decodeBeyondAscii(bytes, start, end);
  }
  return decodeAscii(bytes, start, end);
}

/** Control characters and code points that are no characters: §1.5.4 lets a receiver refuse them, for what reads logs. */
const unwanted = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;

/**
 * The string in `bytes[start, end)` that names something: a topic, a filter, a client, a user. Throws as
 * {@link decodeUtf8} does, and for what an operator could not read.
 */
export function decodeName(bytes: Uint8Array, start: number, end: number): string {
  const name = decodeUtf8(bytes, start, end);
  if (unwanted.test(name)) throw new CodecError(ReasonCode.malformedPacket, 'A name contains a control character');
  return name;
}

function decodeBeyondAscii(bytes: Uint8Array, start: number, end: number): string {
  for (let at = start; at < end; at++) if (bytes[at] === 0) throw nullCharacter();
  try {
    return decodeStrictUtf8(bytes, start, end);
  } catch {
    // [MQTT-1.5.4-1] [MQTT3-1.5.3-1]
    throw new CodecError(ReasonCode.malformedPacket, 'A string is not well-formed UTF-8', 'MQTT-1.5.4-1');
  }
}

// [MQTT-1.5.4-2] [MQTT-4.7.3-2] [MQTT3-1.5.3-2] [MQTT3-4.7.3-2]
function nullCharacter(): CodecError {
  return new CodecError(ReasonCode.malformedPacket, 'A string contains U+0000', 'MQTT-1.5.4-2');
}

/**
 * Writes `text` in UTF-8; returns the offset behind it. The target must have room for three bytes a code unit. Throws
 * {@link CodecError} when it cannot be an MQTT string; what has been written is to be ignored then.
 */
export function writeUtf8(target: Uint8Array, start: number, text: string): number {
  let at = start;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) {
      if (unit === 0) throw nullCharacter();
      target[at++] = unit;
    } else if (unit < 0x800) {
      target[at++] = 0xc0 | (unit >> 6);
      target[at++] = 0x80 | (unit & 0x3f);
    } else if (unit < 0xd800 || unit > 0xdfff) {
      target[at++] = 0xe0 | (unit >> 12);
      target[at++] = 0x80 | ((unit >> 6) & 0x3f);
      target[at++] = 0x80 | (unit & 0x3f);
    } else {
      const point = text.codePointAt(index++) ?? 0;
      // [MQTT-1.5.4-1] [MQTT3-1.5.3-1]
      if (point < 0x10000) {
        throw new CodecError(ReasonCode.malformedPacket, 'A string has a lone surrogate', 'MQTT-1.5.4-1');
      }
      target[at++] = 0xf0 | (point >> 18);
      target[at++] = 0x80 | ((point >> 12) & 0x3f);
      target[at++] = 0x80 | ((point >> 6) & 0x3f);
      target[at++] = 0x80 | (point & 0x3f);
    }
  }
  // [MQTT-4.7.3-3] [MQTT3-4.7.3-3]
  if (at - start > MAXIMUM_LENGTH) {
    throw new CodecError(ReasonCode.packetTooLarge, `A string of ${at - start} bytes`, 'MQTT-4.7.3-3');
  }
  return at;
}
