import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { WebSocketProgress } from '../../dist/transport/websocket-progress.js';

/** A masked frame of zeros. */
function frame(first: number, length: number): Buffer {
  const bytes = Buffer.alloc((length < 126 ? 6 : length < 65_536 ? 8 : 14) + length);
  bytes[0] = first;
  bytes[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (length >= 65_536) bytes.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) bytes.writeUInt16BE(length, 2);
  return bytes;
}

/** A message in fragments, with a ping among them. */
const message = fc
  .tuple(fc.array(fc.constantFrom(0, 1, 125, 126, 400, 65_535, 65_536), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([sizes, pings]) =>
    Buffer.concat(
      sizes.flatMap((size, index) => {
        const first = (index === 0 ? 0x02 : 0) | (index === sizes.length - 1 ? 0x80 : 0);
        return [frame(first, size), ...(pings && first < 0x80 ? [frame(0x89, 3)] : [])];
      }),
    ),
  );

describe('What is kept of a WebSocket message', () => {
  it('is nothing between messages, and at least what has come of one, wherever the reads are cut', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.infiniteStream(fc.nat(70_000)),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages);
          const ends = messages.map((_, index) => Buffer.concat(messages.slice(0, index + 1)).length);
          const progress = new WebSocketProgress();
          for (let at = 0; at < bytes.length; ) {
            const end = Math.min(bytes.length, at + 1 + Number(cuts.next().value));
            progress.feed(bytes.subarray(at, end));
            at = end;
            const began = ends.findLast((each) => each <= at) ?? 0;
            if (began === at) assert.equal(progress.unfinished, 0);
            else assert.ok(progress.unfinished > at - began, `${progress.unfinished} of ${at - began}`);
          }
        },
      ),
    );
  });

  it('counts the read that a small piece came with, and something for each piece', () => {
    const progress = new WebSocketProgress();
    const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(0x89, 0)));
    progress.feed(Buffer.concat([pings, frame(0x02, 1)]));
    assert.ok(progress.unfinished > pings.length);
    const before = progress.unfinished;
    progress.feed(frame(0x00, 1));
    assert.ok(progress.unfinished > before + 256);
    progress.feed(frame(0x80, 1));
    assert.equal(progress.unfinished, 0);
  });
});
