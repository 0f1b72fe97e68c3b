import { type Chunk, IncomingPublish } from '../incoming-publish.js';
import { variableHeaderOffset } from '../packet-bounds.js';
import { PacketType, type ProtocolVersion, type QoS } from '../packet-type.js';
import type { PublishProperties } from '../properties.js';
import { topicName } from '../topic-cache.js';
import { readProperties } from './properties.js';
import { type DecodeLimits, packetIdZero, protocolError, Reader, tooShort } from './reader.js';

/** The first byte of a PUBLISH with QoS 0, 1 or 2 and no flag: what runs are made of. */
const PLAIN = [0x30, 0x32, 0x34] as const;

/**
 * Decodes the PUBLISH in `bytes[start, end)` and, when it is a plain one, all that follow it and differ in payload
 * only, up to the end of the chunk.
 *
 * @param at offset of the variable header
 * @param last the topic of the one before
 */
export function decodePublish(
  bytes: Uint8Array,
  start: number,
  at: number,
  end: number,
  chunk: Chunk,
  version: ProtocolVersion,
  limits: DecodeLimits,
  last: string,
): IncomingPublish {
  const first = bytes[start] ?? 0;
  if (end - at < 2) throw tooShort();
  const topicEnd = at + 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
  if (topicEnd > end) throw tooShort();
  const topic = topicEnd === at + 2 ? '' : topicName(bytes, at + 2, topicEnd, last);
  let payloadStart = topicEnd;
  let packetId = 0;
  let packetIdAt = -1;
  // [MQTT-2.2.1-2] [MQTT3-2.3.1-5]
  if ((first & 0x06) !== 0) {
    if (end - payloadStart < 2) throw tooShort();
    packetId = ((bytes[payloadStart] ?? 0) << 8) | (bytes[payloadStart + 1] ?? 0);
    if (packetId === 0) throw packetIdZero();
    packetIdAt = payloadStart;
    payloadStart += 2;
  }
  let properties: PublishProperties | undefined;
  if (version === 5) {
    if (payloadStart === end) throw tooShort();
    if (bytes[payloadStart] === 0) {
      payloadStart++;
    } else {
      const reader = new Reader(bytes, payloadStart, end);
      properties = decodeProperties(reader, limits);
      payloadStart = reader.at;
    }
  }
  // [MQTT-4.7.3-1]
  if (topic === '' && properties?.topicAlias === undefined) {
    throw protocolError('A PUBLISH with neither topic name nor topic alias', 'MQTT-4.7.3-1');
  }
  let runEnd = end;
  let count = 1;
  let largest = end - start;
  let packetIds: number[] | undefined;
  if (properties === undefined && isOfRuns(first, limits.role)) {
    const prefix = payloadStart - at;
    for (;;) {
      const next = nextOfRun(bytes, runEnd, chunk.end, start, at, prefix, packetIdAt - at, limits.maximumPacketSize);
      if (next === 0) break;
      if (packetIdAt >= 0) {
        packetIds ??= [packetId];
        const nextId = variableHeaderOffset(bytes, runEnd) + packetIdAt - at;
        packetIds.push(((bytes[nextId] ?? 0) << 8) | (bytes[nextId + 1] ?? 0));
      }
      if (next - runEnd > largest) largest = next - runEnd;
      runEnd = next;
      count++;
    }
  }
  return new IncomingPublish(
    version,
    topic,
    ((first >> 1) & 3) as QoS,
    (first & 0x01) !== 0,
    (first & 0x08) !== 0,
    packetId,
    properties,
    bytes,
    start,
    payloadStart,
    runEnd,
    count,
    largest,
    packetIdAt,
    chunk,
    packetIds,
  );
}

/** A client acknowledges each packet by itself, and finds runs of QoS 0 only. */
function isOfRuns(first: number, role: 'server' | 'client'): boolean {
  return first === PLAIN[0] || (role === 'server' && (first === PLAIN[1] || first === PLAIN[2]));
}

function decodeProperties(reader: Reader, limits: DecodeLimits): PublishProperties | undefined {
  const properties = readProperties(reader, PacketType.PUBLISH, limits.maximumUserProperties);
  // [MQTT-3.3.4-6]
  if (limits.role === 'server' && properties?.subscriptionIdentifiers !== undefined) {
    throw protocolError('A PUBLISH from a client with a subscription identifier', 'MQTT-3.3.4-6');
  }
  return properties;
}

/**
 * The end of the packet at `start` if it is complete and begins as the one at `model` does, the packet identifier apart; else 0, and
 * the ordinary way judges it.
 *
 * @param body of the model
 * @param prefix bytes of topic, packet identifier and, in 5.0, the empty property length
 * @param idAt where in those the packet identifier is
 */
function nextOfRun(
  bytes: Uint8Array,
  start: number,
  limit: number,
  model: number,
  body: number,
  prefix: number,
  idAt: number,
  maximumPacketSize: number,
): number {
  if (limit - start < 2 + prefix || bytes[start] !== bytes[model]) return 0;
  let length = bytes[start + 1] ?? 0;
  let at = start + 2;
  if (length > 0x7f) {
    // Two bytes of length, or three; what is larger, or oddly encoded, is not worth a run.
    const second = bytes[at++] ?? 0;
    length = (length & 0x7f) | ((second & 0x7f) << 7);
    if (second === 0) return 0;
    if (second > 0x7f) {
      const third = bytes[at++] ?? 0;
      if (third === 0 || third > 0x7f) return 0;
      length |= third << 14;
    }
  }
  const end = at + length;
  if (end > limit || length < prefix || end - start > maximumPacketSize) return 0;
  for (let index = prefix - 1; index >= 0; index--) {
    if (bytes[at + index] === bytes[body + index]) continue;
    if (idAt < 0 || index - idAt > 1 || index < idAt) return 0;
  }
  return idAt >= 0 && bytes[at + idAt] === 0 && bytes[at + idAt + 1] === 0 ? 0 : end;
}
