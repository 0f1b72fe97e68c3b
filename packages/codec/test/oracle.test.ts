import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodecError, encode, type Packet, PacketType, Parser, type ProtocolVersion } from '@moat/codec';
import fc from 'fast-check';
import { clientPacket, connectPacket, serverPacket } from './arbitraries.js';
import { Collector, connected, serverOptions } from './collector.js';
import { essenceOf, readByOracle } from './oracle.js';

const versions: readonly ProtocolVersion[] = [3, 4, 5];

for (const version of versions) {
  test(`mqtt-packet reads what is encoded in version ${version} as it was meant`, () => {
    fc.assert(
      fc.property(fc.oneof(connectPacket(version), clientPacket(version), serverPacket(version)), (packet) => {
        // mqtt-packet reads an unsigned 32-bit property and an empty AUTH in ways of its own.
        fc.pre(!(packet.type === PacketType.AUTH && packet.reasonCode === 0));
        assert.deepEqual(readByOracle(encode(packet, version), version), essenceOf(packet, version));
      }),
      { numRuns: 1000 },
    );
  });

  test(`mqtt-packet and this codec agree on changed bytes of version ${version} that both accept`, () => {
    let agreed = 0;
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(fc.oneof(connectPacket(version), clientPacket(version)), changes, (packet, edits) => {
        const bytes = Uint8Array.from(encode(packet, version));
        for (const [where, value] of edits) bytes[where % bytes.length] = value;
        const ours = readOne(bytes, version);
        if (ours === undefined) return;
        const theirs = readByOracle(bytes, version);
        if (theirs === undefined) return;
        assert.deepEqual(theirs, essenceOf(ours, version));
        agreed++;
      }),
      { numRuns: 2000 },
    );
    assert.ok(agreed > 200, `${agreed} of 2000`);
  });
}

/** The packet, when it is the only one in the bytes. */
function readOne(bytes: Uint8Array, version: ProtocolVersion): Packet | undefined {
  const opening = (bytes[0] ?? 0) >> 4 === PacketType.CONNECT;
  const collector = new Collector();
  const made = opening ? { parser: new Parser(collector, serverOptions), collector } : connected('client', version);
  try {
    made.parser.feed(bytes);
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
  if (made.collector.packets.length !== 1 || made.parser.buffered > 0) return undefined;
  return made.parser.version === version ? made.collector.packets[0] : undefined;
}
