import { malformed } from './decode/reader.js';
import { isValidTopicName } from './topic.js';
import { decodeName } from './utf8.js';

const SLOTS = 4096;
/** Bytes of the longest topic that is kept, here or for a connection. */
export const LONGEST = 127;
/** A topic's length stands before it. */
const SLOT = 1 + LONGEST;

/*
 * Topic bytes to the topic's one string, shared by every parser of the process. A direct-mapped table: a topic has one
 * slot, and whoever comes last holds it, so the memory is fixed and a crafted collision costs a decoding, no more.
 *
 *   strings  [slot] -> 'a/b'
 *   cached   [slot * SLOT ...] -> 03 61 2f 62
 */
const strings = new Array<string>(SLOTS).fill('');
const cached = new Uint8Array(SLOTS * SLOT);

/**
 * The topic name in `bytes[start, end)`, which is not empty. The same bytes give the same string object while they stay
 * cached. Throws {@link CodecError} 0x81 for bad UTF-8 and for a wildcard.
 *
 * @param last the topic that the connection sent before: mostly it is the same, and nothing else needs to be looked at
 */
export function topicName(bytes: Uint8Array, start: number, end: number, last: string): string {
  const length = end - start;
  if (length === last.length && isSpelt(last, bytes, start)) return last;
  if (length > LONGEST) return decodeTopicName(bytes, start, end);
  const slot = hash(bytes, start, end) & (SLOTS - 1);
  const base = slot * SLOT;
  if (cached[base] === length && equal(bytes, start, length, base + 1)) return strings[slot] ?? '';
  const topic = decodeTopicName(bytes, start, end);
  for (let at = 0; at < length; at++) cached[base + 1 + at] = bytes[start + at] ?? 0;
  cached[base] = length;
  strings[slot] = topic;
  return topic;
}

function decodeTopicName(bytes: Uint8Array, start: number, end: number): string {
  const topic = decodeName(bytes, start, end); // [MQTT-3.3.2-1] [MQTT3-3.3.2-1]
  // 0x90 would say that the name is well-formed, which it is not. // [MQTT-3.3.2-2] [MQTT3-3.3.2-2]
  if (!isValidTopicName(topic)) throw malformed('A topic name with a wildcard', 'MQTT-3.3.2-2');
  return topic;
}

/** Whether the bytes from `start` on are those of a text, which is ASCII. */
function isSpelt(text: string, bytes: Uint8Array, start: number): boolean {
  for (let at = 0; at < text.length; at++) {
    const byte = bytes[start + at] ?? 0;
    if (byte !== text.charCodeAt(at) || byte > 0x7f) return false;
  }
  return true;
}

function equal(bytes: Uint8Array, start: number, length: number, base: number): boolean {
  for (let at = 0; at < length; at++) if (bytes[start + at] !== cached[base + at]) return false;
  return true;
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = end - start;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    value = Math.imul(value ^ word, 0x9e3779b1);
    value ^= value >>> 15;
  }
  for (; at < end; at++) value = Math.imul(value ^ (bytes[at] ?? 0), 0x01000193);
  return value ^ (value >>> 13);
}
