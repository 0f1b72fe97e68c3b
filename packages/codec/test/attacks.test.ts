import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodecError, PacketType, Parser, ReasonCode } from '@moat/codec';
import { Collector, connected, serverOptions } from './collector.js';
import { bytesOf } from './notation.js';

function refuses(parser: Parser, notation: string, reasonCode: ReasonCode): void {
  assert.throws(
    () => parser.feed(bytesOf(notation)),
    (error) => error instanceof CodecError && error.reasonCode === reasonCode,
  );
  assert.equal(parser.buffered, 0);
}

function fresh(options = serverOptions): Parser {
  return new Parser(new Collector(), options);
}

test('A first packet that is not CONNECT is refused whatever length it announces (CVE-2023-0809)', () => {
  refuses(fresh(), '30 ffffff7f', ReasonCode.protocolError);
});

test('A huge remaining length is refused by the limit before the body comes (CVE-2017-7651)', () => {
  refuses(fresh({ ...serverOptions, maximumPacketSize: 1_048_576 }), '10 ffffff7f', ReasonCode.packetTooLarge);
});

test('A huge packet within the limit that trickles in costs what has come in', () => {
  const parsers = Array.from({ length: 2000 }, () => fresh());
  const start = process.memoryUsage().arrayBuffers;
  for (const parser of parsers) parser.feed(bytesOf("10 ffffff7f 'MQTT' 04 02 003c"));
  assert.ok(process.memoryUsage().arrayBuffers - start < 2000 * 1024);
  assert.equal(parsers[0]?.buffered, 15);
});

test('Malformed CONNECTs in a loop leave nothing behind (CVE-2017-7654)', () => {
  const parsers = Array.from({ length: 5000 }, () => fresh());
  for (const parser of parsers) refuses(parser, "10 * 'MQTT' 04 03 003c 'c'", ReasonCode.malformedPacket);
  assert.equal(
    parsers.reduce((sum, parser) => sum + parser.buffered, 0),
    0,
  );
});

test('A remaining length of five bytes is malformed (CVE-2026-21888)', () => {
  refuses(fresh(), '10 ffffffff 01', ReasonCode.malformedPacket);
  refuses(connected('client', 5).parser, '30 80808080', ReasonCode.malformedPacket);
});

test('A chunk shorter than the remaining length is waited for, never read past (CVE-2026-25627)', () => {
  const { parser, collector } = connected('client', 4);
  const memory = bytesOf('30 07 \'a\' "secret"');
  parser.feed(memory, 0, 6);
  assert.deepEqual(collector.packets, []);
  assert.equal(parser.buffered, 6);
});

test('A QoS 1 PUBLISH without packet identifier and a SUBSCRIBE without options are malformed', () => {
  for (const version of [3, 4] as const) {
    refuses(connected('client', version).parser, "32 * 'a'", ReasonCode.malformedPacket);
    refuses(connected('client', version).parser, "82 * 0001 'a'", ReasonCode.malformedPacket);
  }
  refuses(connected('client', 5).parser, "32 * 'a'", ReasonCode.malformedPacket);
  refuses(connected('client', 5).parser, "82 * 0001 {} 'a'", ReasonCode.malformedPacket);
});

test('The packet that ended another broker is refused as any other', () => {
  refuses(fresh(), '101000044d5154540502003c0321001400006202d301e0020020', ReasonCode.malformedPacket);
});

test('User properties named like members of Object harm nothing (CVE-2016-10523)', () => {
  const { parser, collector } = connected('client', 5);
  parser.feed(bytesOf("30 * 'a' { 26 '__proto__' 'polluted' 26 'constructor' 'x' 26 'hasOwnProperty' 'y' }"));
  assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false);
  const [packet] = collector.packets;
  assert.ok(packet?.type === PacketType.PUBLISH);
  assert.deepEqual(packet.properties?.userProperties?.[0], ['__proto__', 'polluted']);
});

test('Tens of thousands of user properties are refused at the limit (CVE-2021-41039)', () => {
  const flood = `10 * 'MQTT' 05 02 003c { ${"26 'a' 'b' ".repeat(20_000)} } 'c'`;
  refuses(fresh(), flood, ReasonCode.quotaExceeded);
  const { parser, collector } = connected('client', 5, { maximumUserProperties: 2 });
  parser.feed(bytesOf("30 * 'a' { 26 'a' 'b' 26 'a' 'b' }"));
  assert.equal(collector.packets.length, 1);
  refuses(parser, "30 * 'a' { 26 'a' 'b' 26 'a' 'b' 26 'a' 'b' }", ReasonCode.quotaExceeded);
});

test('A will with properties of the wrong kind, or given twice, is refused (CVE-2021-34431, CVE-2023-3592)', () => {
  for (let time = 0; time < 100; time++) {
    refuses(fresh(), "10 * 'MQTT' 05 06 003c {} 'c' { 11 00000001 } 'w' ''", ReasonCode.malformedPacket);
    refuses(fresh(), "10 * 'MQTT' 05 06 003c {} 'c' { 03 'a' 03 'a' } 'w' ''", ReasonCode.protocolError);
    refuses(fresh(), "10 * 'MQTT' 05 06 003c {} 'c' { 09 'a' 09 'a' } 'w' ''", ReasonCode.protocolError);
  }
});

test('A client that sends CONNACK commits a protocol error (CVE-2021-28166)', () => {
  refuses(connected('client', 5).parser, '20 * 00 00 {}', ReasonCode.protocolError);
});

test('A PUBLISH with an empty topic name and no alias is a protocol error (CVE-2021-34432)', () => {
  refuses(connected('client', 5).parser, "30 * '' {}", ReasonCode.protocolError);
});

test('A topic name of invalid UTF-8 is refused, the first time and every time (CVE-2017-7653)', () => {
  for (let time = 0; time < 3; time++) {
    refuses(connected('client', 4).parser, '30 * 0004 61ff6263', ReasonCode.malformedPacket);
  }
});

test('A filter of 65,000 slashes is read without recursion (CVE-2019-11779)', () => {
  const { parser, collector } = connected('client', 4);
  parser.feed(bytesOf(`82 * 0001 '${'/'.repeat(65_000)}' 00`));
  assert.equal(collector.packets.length, 1);
});

test('Shared subscriptions without a name or a filter are refused (CVE-2025-68699)', () => {
  for (const filter of ['$share/ab', '$share//a', '$share/', '$share']) {
    refuses(connected('client', 5).parser, `82 * 0001 {} '${filter}' 00`, ReasonCode.protocolError);
  }
});

test('A filter of many # is refused (CVE-2024-48080)', () => {
  refuses(connected('client', 4).parser, "82 * 0001 '#/#/#/#/#/#' 00", ReasonCode.malformedPacket);
});
