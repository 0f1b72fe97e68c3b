import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CodecError, encode, type Packet, Parser, type ProtocolVersion } from '@moat/codec';
import fc from 'fast-check';
import { clientPacket, connectPacket, serverPacket } from './arbitraries.js';
import { Collector, connected, serverOptions } from './collector.js';

const versions: readonly ProtocolVersion[] = [3, 4, 5];
const runs = { numRuns: 400 };

/** Feeds `bytes` in pieces that end at the given fractions of them. */
function feedInPieces(parser: Parser, bytes: Uint8Array, cuts: readonly number[]): void {
  const ends = [...cuts.map((cut) => Math.floor(cut * bytes.length)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  for (const end of ends) {
    // A buffer that is used again, as that of a transport.
    const chunk = bytes.slice(start, end);
    parser.feed(chunk);
    chunk.fill(0xa5);
    start = end;
  }
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

for (const version of versions) {
  describe(`In version ${version}`, () => {
    test('encoding and then parsing a CONNECT changes nothing', () => {
      fc.assert(
        fc.property(connectPacket(version), cuts, (packet, at) => {
          const collector = new Collector();
          const parser = new Parser(collector, serverOptions);
          feedInPieces(parser, encode(packet, version), at);
          assert.deepEqual(collector.packets, [packet]);
          assert.equal(parser.version, version);
        }),
        runs,
      );
    });

    for (const from of ['client', 'server'] as const) {
      const packet = from === 'client' ? clientPacket(version) : serverPacket(version);

      test(`encoding and then parsing packets of a ${from} changes nothing, wherever the bytes are cut`, () => {
        fc.assert(
          fc.property(fc.array(packet, { minLength: 1, maxLength: 8 }), cuts, (packets, at) => {
            const { parser, collector } = connected(from, version);
            feedInPieces(parser, Buffer.concat(packets.map((one) => encode(one, version))), at);
            assert.deepEqual(collector.packets, packets);
            assert.equal(parser.buffered, 0);
          }),
          runs,
        );
      });
    }

    test('a receiver that pauses now and then gets the same packets', () => {
      const pauses = fc.array(fc.boolean(), { minLength: 1, maxLength: 10 });
      fc.assert(
        fc.property(
          fc.array(clientPacket(version), { minLength: 1, maxLength: 8 }),
          cuts,
          pauses,
          (packets, at, pattern) => {
            const { parser, collector } = connected('client', version);
            let calls = 0;
            const maybePause = () => {
              if (pattern[calls++ % pattern.length] === true) parser.pause();
            };
            const { packet: keep, publish: keepPublish } = Collector.prototype;
            collector.packet = (one) => {
              keep.call(collector, one);
              maybePause();
            };
            collector.publish = (one) => {
              keepPublish.call(collector, one);
              maybePause();
            };
            feedInPieces(parser, Buffer.concat(packets.map((one) => encode(one, version))), at);
            for (let left = packets.length; left > 0; left--) parser.resume();
            assert.deepEqual(collector.packets, packets);
            assert.equal(parser.buffered, 0);
          },
        ),
        runs,
      );
    });

    test('changed bytes give packets or the one error, and no more memory than there were bytes', () => {
      const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
      fc.assert(
        fc.property(
          fc.array(clientPacket(version), { minLength: 1, maxLength: 4 }),
          changes,
          cuts,
          (packets, edits, at) => {
            const bytes = Buffer.concat(packets.map((one) => encode(one, version)));
            for (const [where, value] of edits) bytes[where % bytes.length] = value;
            assertHarmless(connected('client', version), bytes, at);
          },
        ),
        { numRuns: 1500 },
      );
    });

    test('random bytes give packets or the one error', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 200 }), cuts, (bytes, at) => {
          assertHarmless(connected('client', version), bytes, at);
          assertHarmless(connected('server', version), bytes, at);
        }),
        { numRuns: 1500 },
      );
    });
  });
}

test('A changed CONNECT gives a packet or the one error', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
  const anyConnect = fc.oneof(...versions.map(connectPacket));
  fc.assert(
    fc.property(anyConnect, changes, cuts, (packet, edits, at) => {
      const bytes = encode(packet, packet.version).slice();
      for (const [where, value] of edits) bytes[where % bytes.length] = value;
      const collector = new Collector();
      assertHarmless({ parser: new Parser(collector, serverOptions), collector }, bytes, at);
    }),
    { numRuns: 2000 },
  );
});

function assertHarmless(
  { parser, collector }: { parser: Parser; collector: Collector },
  bytes: Uint8Array,
  at: readonly number[],
): void {
  try {
    feedInPieces(parser, bytes, at);
  } catch (error) {
    assert.ok(error instanceof CodecError, String(error));
    assert.ok(error.reasonCode >= 0x80);
    assert.equal(parser.buffered, 0);
  }
  assert.ok(parser.buffered <= bytes.length);
  assert.ok(collector.packets.length <= bytes.length / 2);
  for (const packet of collector.packets) assertEncodes(packet, parser.version);
}

/** Whatever has been accepted can be sent on. */
function assertEncodes(packet: Packet, version: 0 | ProtocolVersion): void {
  assert.notEqual(version, 0);
  encode(packet, version === 0 ? 5 : version);
}
