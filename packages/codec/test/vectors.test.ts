import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodecError, encode, PacketType, Parser } from '@moat/codec';
import { Collector, connected, serverOptions } from './collector.js';
import { hex } from './notation.js';
import { bytesOf, type Vector, vectors } from './vectors.js';

function parserFor(vector: Vector, bytes: Uint8Array): { parser: Parser; collector: Collector } {
  const { version, from } = vector;
  const opening = from === 'client' && (bytes[0] ?? 0) >> 4 === PacketType.CONNECT && bytes.length > 1;
  if (version !== 0 && !opening) return connected(from, version);
  const collector = new Collector();
  return { parser: new Parser(collector, serverOptions), collector };
}

for (const vector of vectors) {
  const { title, version, from, packet, reasonCode } = vector;
  const bytes = bytesOf(vector.bytes);
  const name = `version ${version}, from ${from}: ${title}`;

  if (packet === undefined) {
    test(`${name} is refused`, () => {
      const { parser, collector } = parserFor(vector, bytes);
      assert.throws(
        () => parser.feed(bytes),
        (error) => error instanceof CodecError && error.reasonCode === reasonCode,
      );
      assert.deepEqual(collector.packets, []);
      assert.equal(parser.buffered, 0);
    });
    test(`${name} is refused byte by byte too`, () => {
      const { parser } = parserFor(vector, bytes);
      assert.throws(() => {
        for (const byte of bytes) parser.feed(Uint8Array.of(byte));
      }, CodecError);
    });
    continue;
  }

  test(`${name} is parsed`, () => {
    const { parser, collector } = parserFor(vector, bytes);
    parser.feed(bytes);
    assert.deepEqual(collector.packets, [packet]);
    assert.equal(parser.buffered, 0);
  });

  test(`${name} is parsed byte by byte`, () => {
    const { parser, collector } = parserFor(vector, bytes);
    for (const byte of bytes) parser.feed(Uint8Array.of(byte));
    assert.deepEqual(collector.packets, [packet]);
    assert.equal(parser.buffered, 0);
  });

  test(`${name} is encoded`, () => {
    const encoded = encode(packet, version === 0 ? 4 : version);
    if (vector.alternative !== true) assert.equal(hex(encoded), hex(bytes));
    const { parser, collector } = parserFor(vector, encoded);
    parser.feed(encoded);
    assert.deepEqual(collector.packets, [packet]);
  });
}
