import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CodecError,
  type ControlPacket,
  encode,
  type IncomingPublish,
  type Packet,
  type PacketReceiver,
  PacketType,
  Parser,
  ReasonCode,
  writePacketIds,
} from '@moat/codec';
import fc from 'fast-check';
import { Collector, connected, serverOptions } from './collector.js';
import { bytesOf, utf8 } from './notation.js';

const connect = bytesOf("10 * 'MQTT' 04 02 003c 'c'");
const ping = bytesOf('c0 00');

function refusal(reasonCode: ReasonCode, clause?: string): (error: unknown) => boolean {
  return (error) => error instanceof CodecError && error.reasonCode === reasonCode && error.clause === clause;
}

describe('The first packet', () => {
  test('must be CONNECT, which shows in its first byte [MQTT-3.1.0-1] [MQTT3-3.1.0-1]', () => {
    for (let first = 0; first < 256; first++) {
      if (first >> 4 === PacketType.CONNECT) continue;
      const parser = new Parser(new Collector(), serverOptions);
      assert.throws(() => parser.feed(Uint8Array.of(first)), refusal(ReasonCode.protocolError, 'MQTT-3.1.0-1'));
    }
  });

  test('sets the version before the rest of it is judged, so that the refusal can be told in that version', () => {
    const parser = new Parser(new Collector(), serverOptions);
    assert.equal(parser.version, 0);
    assert.throws(() => parser.feed(bytesOf("10 * 'MQTT' 05 03 003c {} 'c'")), CodecError);
    assert.equal(parser.version, 5);
  });

  test('of an unknown version tells which one was asked for', () => {
    const parser = new Parser(new Collector(), serverOptions);
    assert.throws(
      () => parser.feed(bytesOf("10 * 'MQTT' 09 02 003c 'c'")),
      (error) => error instanceof CodecError && error.protocolLevel === 9 && parser.version === 0,
    );
  });
});

describe('The topic of a PUBLISH', () => {
  const publish = (topic: Uint8Array): Uint8Array => Uint8Array.of(0x30, topic.length + 2, 0, topic.length, ...topic);

  test('is what its own bytes say, whichever came before it on the connection', () => {
    const letters = fc.constantFrom('a', 'b', '/', '\u00e9', '\u{1f600}');
    const topic = fc.oneof(
      fc.string({ minLength: 1, maxLength: 4, unit: letters }),
      fc.string({ minLength: 20, maxLength: 30, unit: letters }),
      fc.constantFrom('long'.repeat(30), `${'long'.repeat(30)}er`),
    );
    fc.assert(
      fc.property(fc.array(topic, { maxLength: 20 }), (topics) => {
        const { parser, collector } = connected('client', 4);
        for (const each of topics) parser.feed(publish(utf8(each)));
        assert.deepEqual(
          collector.packets.map((packet) => packet.type === PacketType.PUBLISH && packet.topic),
          topics,
        );
      }),
    );
  });

  test('is refused where its bytes are those of the characters before it, but no UTF-8 [MQTT-1.5.4-1]', () => {
    const { parser } = connected('client', 4);
    parser.feed(publish(utf8('\u00e9')));
    assert.throws(() => parser.feed(publish(Uint8Array.of(0xe9))), CodecError);
  });
});

describe('The maximum packet size', () => {
  const options = { ...serverOptions, maximumPacketSize: 100 };

  test('is applied to what the fixed header announces, before the packet is there [MQTT-3.2.2-15]', () => {
    const { parser } = connected('client', 4, options);
    assert.throws(() => parser.feed(bytesOf('30 63')), refusal(ReasonCode.packetTooLarge, 'MQTT-3.2.2-15'));
    assert.equal(parser.buffered, 0);
  });

  test('counts the fixed header, and a packet of just that size passes', () => {
    const { parser, collector } = connected('client', 4, options);
    parser.feed(bytesOf("30 62 'a' 00x95"));
    assert.equal(collector.packets.length, 1);
  });

  test('ends a run before a packet that exceeds it', () => {
    const { parser, collector } = connected('client', 4, options);
    assert.throws(
      () => parser.feed(bytesOf("30 03 'a' 30 63 'a' 00x96")),
      refusal(ReasonCode.packetTooLarge, 'MQTT-3.2.2-15'),
    );
    assert.equal(collector.packets.length, 1);
  });

  test('of a client is named by its own clause [MQTT-3.1.2-24]', () => {
    const { parser } = connected('server', 5, { maximumPacketSize: 100 });
    assert.throws(() => parser.feed(bytesOf('30 63')), refusal(ReasonCode.packetTooLarge, 'MQTT-3.1.2-24'));
  });
});

describe('A packet cut off', () => {
  test('is kept in memory that follows what has arrived, not what it announces', () => {
    const { parser } = connected('client', 4);
    parser.feed(bytesOf('30 ffffff7f 0001 61'));
    assert.equal(parser.buffered, 8);
  });

  test('is kept as a copy, so the read buffer may be used again', () => {
    const { parser, collector } = connected('client', 4);
    const buffer = new Uint8Array(4);
    for (const part of ['30 06 0001', '61 686579', 'c0 00 c0 00']) {
      buffer.set(bytesOf(part));
      parser.feed(buffer, 0, bytesOf(part).length);
      buffer.fill(0xff);
    }
    assert.deepEqual(collector.packets, [
      { type: PacketType.PUBLISH, topic: 'a', payload: utf8('hey'), qos: 0, retain: false, dup: false, packetId: 0 },
      { type: PacketType.PINGREQ },
      { type: PacketType.PINGREQ },
    ]);
  });

  test('leaves no memory behind once it is complete', () => {
    const { parser } = connected('client', 4);
    parser.feed(ping, 0, 1);
    parser.feed(ping, 1, 2);
    assert.equal(parser.buffered, 0);
  });

  test('of a megabyte in chunks of one byte is put together in time that grows with its size', () => {
    const { parser, collector } = connected('client', 4);
    const packet = encode(
      {
        type: PacketType.PUBLISH,
        topic: 'a',
        payload: new Uint8Array(1 << 20),
        qos: 0,
        retain: false,
        dup: false,
        packetId: 0,
      },
      4,
    );
    for (let at = 0; at < packet.length; at++) parser.feed(packet, at, at + 1);
    assert.equal(collector.packets.length, 1);
  });
});

describe('A run', () => {
  const message = '30 05 \'ab\' "x"';

  function runs(notation: string, version: 4 | 5 = 4): number[] {
    const { parser, collector } = connected('client', version);
    parser.feed(bytesOf(notation));
    return collector.runs;
  }

  test('is made of plain packets that follow each other with the same topic', () => {
    assert.deepEqual(runs(message + message + message), [3]);
    assert.deepEqual(runs("30 06 'ab' 00 01 30 05 'ab' 00 30 84 01 'ab' 00 00x127", 5), [3]);
  });

  test('ends at another topic, flag, quality of service, property or packet', () => {
    const ends = ['30 05 \'ac\' "x"', "30 03 'a'", '31 05 \'ab\' "x"', "32 06 'ab' 0001", 'c0 00'];
    for (const end of ends) {
      const { parser, collector } = connected('client', 4);
      parser.feed(bytesOf(message + end + message));
      assert.equal(collector.runs[0], 1, end);
      assert.equal(collector.packets.length, 3, end);
    }
    assert.deepEqual(runs("30 05 'ab' 00 30 07 'ab' { 01 00 } 30 05 'ab' 00", 5), [1, 1, 1]);
  });

  test('ends before a packet that is cut off, which then comes alone', () => {
    const { parser, collector } = connected('client', 4);
    const bytes = bytesOf(message + message + message);
    parser.feed(bytes, 0, bytes.length - 1);
    parser.feed(bytes, bytes.length - 1);
    assert.deepEqual(collector.runs, [2, 1]);
  });

  test('ends before a faulty packet, which is refused after it', () => {
    const { parser, collector } = connected('client', 4);
    assert.throws(() => parser.feed(bytesOf(`${message}${message} 30 03 0004 61`)), CodecError);
    assert.deepEqual(collector.runs, [2]);
  });

  test('knows its largest packet, and its packets one by one', () => {
    const seen: [number, number, number, string][] = [];
    const receiver = {
      publish(run: IncomingPublish) {
        assert.equal(run.largest, 203);
        for (const one of run.each()) seen.push([one.start, one.end, one.count, one.topic]);
      },
      packet() {},
    };
    const parser = new Parser(receiver, serverOptions);
    parser.feed(connect);
    parser.feed(bytesOf(`30 04 'ab' 30 c8 01 'ab' 61x196 30 04 'ab'`));
    assert.deepEqual(seen, [
      [0, 6, 1, 'ab'],
      [6, 209, 1, 'ab'],
      [209, 215, 1, 'ab'],
    ]);
  });
});

describe('A run of QoS 1 or 2', () => {
  const message = (packetId: string, first = '32'): string => `${first} 07 'ab' ${packetId} "x"`;
  const all = message('0001') + message('ffff') + message('0001');

  function found(notation: string, version: 4 | 5 = 4): { runs: number[]; ids: (readonly number[] | undefined)[] } {
    const { parser, collector } = connected('client', version);
    const ids: (readonly number[] | undefined)[] = [];
    const { publish } = Collector.prototype;
    collector.publish = (packet) => {
      ids.push(packet.packetIds);
      publish.call(collector, packet);
    };
    parser.feed(bytesOf(notation));
    return { runs: collector.runs, ids };
  }

  test('has the packet identifiers of its packets, whatever those are', () => {
    assert.deepEqual(found(all), { runs: [3], ids: [[1, 0xffff, 1]] });
    assert.deepEqual(found("32 08 'ab' 0001 00 01 32 07 'ab' 0002 00 32 86 01 'ab' 0300 00 00x127", 5).ids, [
      [1, 2, 0x300],
    ]);
    assert.deepEqual(found(message('0007')), { runs: [1], ids: [undefined] });
    assert.deepEqual(found(message('0007', '34') + message('0009', '34')), { runs: [2], ids: [[7, 9]] });
    assert.deepEqual(found(message('0007', '34') + message('0009')).runs, [1, 1]);
  });

  test('is found by a server only: whoever receives it acknowledges each', () => {
    const { parser, collector } = connected('server', 4);
    parser.feed(bytesOf(all));
    assert.deepEqual(collector.runs, [1, 1, 1]);
  });

  test('ends at another topic, flag, quality of service, property or packet', () => {
    const ends = [
      "32 06 'ac' 0001",
      "32 05 'a' 0001",
      "3a 06 'ab' 0001",
      "33 06 'ab' 0001",
      "34 06 'ab' 0001",
      "30 04 'ab'",
    ];
    for (const end of [...ends, 'c0 00', '40 02 0001']) assert.equal(found(message('0001') + end).runs[0], 1, end);
    const properties = found("32 07 'ab' 0001 00 32 09 'ab' 0002 { 01 00 } 32 07 'ab' 0003 00", 5);
    assert.deepEqual(properties.runs, [1, 1, 1]);
  });

  test('ends before an identifier of 0, which is refused after it [MQTT-2.2.1-3]', () => {
    const { parser, collector } = connected('client', 4);
    assert.throws(
      () => parser.feed(bytesOf(message('0001') + message('0100') + message('0000'))),
      refusal(ReasonCode.protocolError, 'MQTT-2.2.1-3'),
    );
    assert.deepEqual(collector.runs, [2]);
  });

  test('comes out packet by packet as it was sent, and takes other identifiers, at every length of its packets', () => {
    const sizes = fc.array(fc.oneof(fc.nat(300), fc.constantFrom(16_370, 16_377, 16_378, 16_379, 70_000)), {
      maxLength: 8,
    });
    const ids = fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(4, 5), sizes, ids, ids, (version, all, sent, changed) => {
        const packets = (packetIds: readonly number[]): Packet[] =>
          all.map((size, index) => ({
            type: PacketType.PUBLISH,
            topic: 'a/b',
            payload: new Uint8Array(size).fill(index),
            qos: 1,
            retain: false,
            dup: false,
            packetId: packetIds[index] ?? 0,
          }));
        const bytes = Buffer.concat(packets(sent).map((one) => encode(one, version as 4 | 5)));
        const { parser, collector } = connected('client', version as 4 | 5);
        parser.feed(bytes);
        assert.deepEqual(collector.packets, packets(sent));
        assert.equal(collector.runs.length, all.length > 0 ? 1 : 0);
        const moved = Buffer.concat([Buffer.alloc(3), bytes]);
        writePacketIds(moved, 3, changed.slice(0, all.length));
        assert.deepEqual(
          moved.subarray(3),
          Buffer.concat(packets(changed).map((one) => encode(one, version as 4 | 5))),
        );
      }),
    );
  });
});

describe('Acknowledgements', () => {
  /** What a receiver with a place for several is handed. */
  function handed(notation: string, version: 4 | 5 = 4, split = 0): unknown[] {
    const found: unknown[] = [];
    const { parser, collector } = connected('client', version);
    collector.packet = (packet) => found.push('packetId' in packet ? [packet.type, packet.packetId] : packet.type);
    collector.acknowledgements = (type, packetIds) => found.push([type, ...packetIds]);
    const bytes = bytesOf(notation);
    parser.feed(bytes, 0, split);
    parser.feed(bytes, split);
    return found;
  }
  const all = '40020001 4002ffff 40020001';

  test('that follow one another are handed over together, whatever their identifiers', () => {
    assert.deepEqual(handed(all), [[PacketType.PUBACK, 1, 0xffff, 1]]);
    assert.deepEqual(handed('40020001'), [[PacketType.PUBACK, 1]]);
    for (const [type, first] of [
      [PacketType.PUBREC, '50'],
      [PacketType.PUBREL, '62'],
      [PacketType.PUBCOMP, '70'],
    ]) {
      assert.deepEqual(handed(`${first}020001 ${first}020100`, 5), [[type, 1, 0x100]]);
    }
  });

  test('are handed over one by one without a place for several', () => {
    const packets: ControlPacket[] = [];
    const receiver: PacketReceiver = { publish() {}, packet: (packet) => packets.push(packet) };
    const parser = new Parser(receiver, { ...serverOptions, role: 'client', version: 4 });
    parser.feed(bytesOf(all));
    assert.equal(packets.length, 3);
  });

  test('end at another type or packet, and at one that says more', () => {
    assert.deepEqual(handed('40020001 40020002 50020003 40020004'), [
      [4, 1, 2],
      [5, 3],
      [4, 4],
    ]);
    assert.deepEqual(handed('40020001 40020002 c000'), [[4, 1, 2], PacketType.PINGREQ]);
    assert.deepEqual(handed('40020001 40020002 4003000310', 5), [
      [4, 1, 2],
      [4, 3],
    ]);
    assert.deepEqual(handed('4003000100 40020002 40020003', 5), [
      [4, 1],
      [4, 2, 3],
    ]);
  });

  test('of which the last is cut off are handed over without it', () => {
    for (const split of [5, 6, 7, 9, 10, 11]) {
      const taken = handed(all, 4, split).flatMap((each) => (each as number[]).slice(1));
      assert.deepEqual(taken, [1, 0xffff, 1]);
    }
  });

  test('end before an identifier of 0, which is refused after them [MQTT-2.2.1-3]', () => {
    const found: number[][] = [];
    const { parser, collector } = connected('client', 4);
    collector.acknowledgements = (type, packetIds) => found.push([type, ...packetIds]);
    assert.throws(
      () => parser.feed(bytesOf('40020001 40020100 40020000')),
      refusal(ReasonCode.protocolError, 'MQTT-2.2.1-3'),
    );
    assert.deepEqual(found, [[PacketType.PUBACK, 1, 0x100]]);
  });
});

describe('A receiver', () => {
  class Pausing extends Collector {
    parser: Parser | undefined;
    override packet(packet: ControlPacket): void {
      super.packet(packet);
      this.parser?.pause();
    }
  }

  function pausing(): { parser: Parser; receiver: Pausing } {
    const receiver = new Pausing();
    const parser = new Parser(receiver, serverOptions);
    receiver.parser = parser;
    return { parser, receiver };
  }

  test('that pauses gets no further packet until it resumes, and then every one', () => {
    const { parser, receiver } = pausing();
    const chunk = Buffer.concat([connect, ping, ping, ping.subarray(0, 1)]);
    parser.feed(chunk);
    chunk.fill(0);
    assert.equal(parser.paused, true);
    assert.deepEqual([receiver.packets.length, parser.buffered], [1, 5]);
    parser.resume();
    assert.deepEqual([receiver.packets.length, parser.buffered], [2, 3]);
    parser.feed(ping.subarray(1));
    assert.deepEqual([receiver.packets.length, parser.buffered], [2, 4]);
    parser.resume();
    parser.resume();
    assert.deepEqual([receiver.packets.length, parser.buffered], [4, 0]);
    parser.resume();
    assert.equal(parser.paused, false);
  });

  test('may pause behind a packet that had been cut off', () => {
    const { parser, receiver } = pausing();
    parser.feed(connect, 0, 3);
    parser.feed(Buffer.concat([connect.subarray(3), ping]));
    assert.deepEqual([receiver.packets.length, parser.buffered], [1, 2]);
  });

  test('may resume within the call that paused', () => {
    const receiver = new (class extends Collector {
      override packet(packet: ControlPacket): void {
        super.packet(packet);
        parser.pause();
        parser.resume();
      }
    })();
    const parser = new Parser(receiver, serverOptions);
    parser.feed(Buffer.concat([connect, ping, ping]));
    assert.deepEqual([receiver.packets.length, parser.buffered], [3, 0]);
  });

  test('that closes the parser gets nothing more, and no memory is kept', () => {
    const receiver = new (class extends Collector {
      override packet(packet: ControlPacket): void {
        super.packet(packet);
        parser.close();
      }
    })();
    const parser = new Parser(receiver, serverOptions);
    parser.feed(Buffer.concat([connect, ping, ping]));
    parser.feed(ping);
    assert.deepEqual([receiver.packets.length, parser.buffered], [1, 0]);
  });

  test('that throws closes the parser', () => {
    const parser = new Parser(
      {
        publish() {},
        packet() {
          throw new RangeError('mine');
        },
      },
      serverOptions,
    );
    assert.throws(() => parser.feed(connect), RangeError);
    parser.feed(bytesOf('00'));
    assert.equal(parser.buffered, 0);
  });

  test('is told of a fault found on resuming', () => {
    const { parser } = pausing();
    parser.feed(Buffer.concat([connect, bytesOf('00')]));
    assert.throws(() => parser.resume(), refusal(ReasonCode.protocolError));
    assert.equal(parser.buffered, 0);
  });

  test('keeps what it is handed but the payload: the rest is copied out of the read buffer', () => {
    const collector = new Collector();
    const parser = new Parser(collector, serverOptions);
    const bytes = bytesOf("10 * 'MQTT' 05 c6 0000 { 15 'm' 16 'data' } 'c' { 09 'id' } 'w' 'gone' 'u' 'secret'");
    parser.feed(bytes);
    bytes.fill(0);
    const [packet] = collector.packets;
    assert.ok(packet?.type === PacketType.CONNECT);
    assert.deepEqual(packet.password, utf8('secret'));
    assert.deepEqual(packet.will?.payload, utf8('gone'));
    assert.deepEqual(packet.will?.properties?.correlationData, utf8('id'));
    assert.deepEqual(packet.properties?.authenticationData, utf8('data'));
  });
});
