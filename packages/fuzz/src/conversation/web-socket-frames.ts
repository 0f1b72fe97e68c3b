import type { Random } from '@moat/testkit';

/** The request that makes a WebSocket of a connection. */
const upgrade = Buffer.from(
  [
    'GET /mqtt HTTP/1.1',
    'Host: localhost',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: mqtt',
    '\r\n',
  ].join('\r\n'),
);

/** The same bytes as a WebSocket carries them: a request, then frames, with a ping between them now and then. */
export function inWebSocket(parts: readonly Uint8Array[], random: Random): Uint8Array[] {
  const frames: Uint8Array[] = [upgrade];
  for (const part of parts) {
    const pieces = random.chance(80) ? [part] : [part.subarray(0, part.length >> 1), part.subarray(part.length >> 1)];
    for (const [index, piece] of pieces.entries()) {
      if (random.chance(3)) frames.push(frame(0x9, true, Uint8Array.of(1, 2, 3), random));
      frames.push(frame(index === 0 ? opcode(random) : 0, index === pieces.length - 1, piece, random));
    }
  }
  if (random.chance(20)) frames.push(frame(0x8, true, Uint8Array.of(0x03, 0xe8), random));
  return frames;
}

/** Binary; text, which is refused, and others only rarely. */
function opcode(random: Random): number {
  return random.chance(98) ? 0x2 : random.pick([0x0, 0x1, 0x3, 0xa]);
}

/** One masked frame (RFC 6455 §5.2). */
function frame(code: number, final: boolean, payload: Uint8Array, random: Random): Uint8Array {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const bytes = Buffer.alloc(2 + extended + 4 + length);
  bytes[0] = (final ? 0x80 : 0) | code;
  bytes[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) bytes.writeUInt16BE(length, 2);
  if (extended === 8) bytes.writeBigUInt64BE(BigInt(length), 2);
  const mask = Uint8Array.from({ length: 4 }, () => random.below(256));
  const start = 2 + extended;
  bytes.set(mask, start);
  for (let at = 0; at < length; at++) bytes[start + 4 + at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return bytes;
}
