import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CodecError,
  encode,
  encodePublish,
  MAXIMUM_VARIABLE_BYTE_INTEGER,
  type Packet,
  PacketType,
  type PublishPacket,
  packetIdOffset,
  ReasonCode,
  variableByteIntegerLength,
  writeAcknowledgement,
  writeVariableByteInteger,
} from '@moat/codec';
import { bytesOf, hex, utf8 } from './notation.js';

const publish: PublishPacket = {
  type: PacketType.PUBLISH,
  topic: 'a/b',
  payload: utf8('x'),
  qos: 1,
  retain: false,
  dup: false,
  packetId: 1,
};
const { topicNameInvalid, protocolError, malformedPacket, packetTooLarge } = ReasonCode;
const request = { filter: 'a', qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

const refused: [title: string, packet: Packet, version: 3 | 4 | 5, reasonCode: ReasonCode][] = [
  ['packet identifier 0 [MQTT-2.2.1-3] [MQTT3-2.3.1-1]', { ...publish, packetId: 0 }, 4, protocolError],
  ['a packet identifier of more than 16 bits', { ...publish, packetId: 65536 }, 5, protocolError],
  [
    'a packet identifier that is no integer',
    { type: PacketType.PUBACK, packetId: 1.5, reasonCode: 0 },
    5,
    protocolError,
  ],
  ['DUP with QoS 0 [MQTT-3.3.1-2] [MQTT3-3.3.1-2]', { ...publish, qos: 0, dup: true }, 4, protocolError],
  ['a wildcard in a topic name [MQTT-3.3.2-2] [MQTT3-3.3.2-2]', { ...publish, topic: 'a/#' }, 4, topicNameInvalid],
  ['an empty topic name [MQTT-4.7.3-1]', { ...publish, topic: '' }, 5, topicNameInvalid],
  ['a topic alias before 5.0', { ...publish, topic: '', properties: { topicAlias: 1 } }, 4, topicNameInvalid],
  ['topic alias 0 [MQTT-3.3.2-8]', { ...publish, properties: { topicAlias: 0 } }, 5, protocolError],
  [
    'a wildcard in a response topic [MQTT-3.3.2-14]',
    { ...publish, properties: { responseTopic: '+' } },
    5,
    protocolError,
  ],
  ['U+0000 [MQTT-1.5.4-2] [MQTT3-1.5.3-2]', { ...publish, topic: 'a\0' }, 4, malformedPacket],
  ['a lone surrogate [MQTT-1.5.4-1] [MQTT3-1.5.3-1]', { ...publish, topic: 'a\ud800b' }, 4, malformedPacket],
  ['a lone low surrogate', { ...publish, topic: '\udc00\ud800' }, 4, malformedPacket],
  [
    'a string of more than 65535 bytes [MQTT-4.7.3-3] [MQTT3-4.7.3-3]',
    { ...publish, topic: 'é'.repeat(32768) },
    4,
    packetTooLarge,
  ],
  [
    'a property that PUBLISH cannot have',
    { ...publish, properties: { receiveMaximum: 1 } as object },
    5,
    protocolError,
  ],
  ['a property that nothing can have', { ...publish, properties: { hasOwnProperty: 1 } as object }, 5, protocolError],
  [
    'binary data of more than 65535 bytes',
    { ...publish, properties: { correlationData: new Uint8Array(65536) } },
    5,
    packetTooLarge,
  ],
  [
    'a reason code of another packet [MQTT-3.4.2-1]',
    { type: PacketType.PUBACK, packetId: 1, reasonCode: 0x92 },
    5,
    protocolError,
  ],
  [
    'no subscription [MQTT-3.8.3-2] [MQTT3-3.8.3-3]',
    { type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [] },
    4,
    protocolError,
  ],
  [
    'no filter [MQTT-3.10.3-2] [MQTT3-3.10.3-2]',
    { type: PacketType.UNSUBSCRIBE, packetId: 1, filters: [] },
    5,
    protocolError,
  ],
  [
    'an invalid filter [MQTT-4.7.1-1]',
    { type: PacketType.UNSUBSCRIBE, packetId: 1, filters: ['#/a'] },
    5,
    malformedPacket,
  ],
  [
    'no local on a shared subscription [MQTT-3.8.3-4]',
    { type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [{ ...request, filter: '$share/g/a', noLocal: true }] },
    5,
    protocolError,
  ],
  [
    'two subscription identifiers in SUBSCRIBE',
    {
      type: PacketType.SUBSCRIBE,
      packetId: 1,
      subscriptions: [request],
      properties: { subscriptionIdentifiers: [1, 2] },
    },
    5,
    protocolError,
  ],
  ['an answer to no filter', { type: PacketType.SUBACK, packetId: 1, reasonCodes: [] }, 4, protocolError],
  [
    'session present in a refusal [MQTT-3.2.2-6]',
    { type: PacketType.CONNACK, sessionPresent: true, reasonCode: 0x87 },
    5,
    protocolError,
  ],
  [
    'a reason code of 5.0 in CONNACK before it',
    { type: PacketType.CONNACK, sessionPresent: false, reasonCode: 0x87 },
    4,
    protocolError,
  ],
  ['AUTH before 5.0', { type: PacketType.AUTH, reasonCode: 0x18 }, 4, protocolError],
  [
    'a password without user name before 5.0 [MQTT3-3.1.2-22]',
    { type: PacketType.CONNECT, version: 4, cleanStart: true, keepAlive: 0, clientId: 'c', password: utf8('p') },
    4,
    protocolError,
  ],
  [
    'authentication data without method',
    {
      type: PacketType.CONNECT,
      version: 5,
      cleanStart: true,
      keepAlive: 0,
      clientId: 'c',
      properties: { authenticationData: utf8('p') },
    },
    5,
    protocolError,
  ],
  [
    'a keep alive of more than 16 bits',
    { type: PacketType.CONNECT, version: 5, cleanStart: true, keepAlive: 65536, clientId: 'c' },
    5,
    protocolError,
  ],
];

describe('The serializer refuses', () => {
  for (const [title, packet, version, reasonCode] of refused) {
    test(title, () => {
      assert.throws(
        () => encode(packet, version),
        (error) => error instanceof CodecError && error.reasonCode === reasonCode,
      );
      // What was half written does not show in the next packet.
      assert.equal(hex(encode({ type: PacketType.PINGREQ }, 4)), 'c000');
    });
  }
});

describe('The serializer', () => {
  test('hands out packets that later ones leave alone, whatever their size', () => {
    const sizes = [0, 1, 10, 127, 128, 5000, 16000, 17000, 3, 100_000, 2_100_000, 7];
    const packets = sizes.map((size) => ({ ...publish, payload: new Uint8Array(size).fill(size) }));
    const encoded = packets.map((packet) => encode(packet, 5));
    packets.forEach((packet, at) => {
      const bytes = encoded[at] ?? utf8('');
      const payloadStart = packetIdOffset(bytes) + 3;
      assert.deepEqual(bytes.subarray(payloadStart), packet.payload);
      assert.equal(bytes.length, 1 + variableByteIntegerLength(bytes.length - 2) + 8 + packet.payload.length);
    });
  });

  test('writes properties of any length behind their length', () => {
    for (const size of [100, 127, 128, 16_383, 16_384, 65_535]) {
      const bytes = encode({ ...publish, properties: { contentType: 'é'.repeat(size >> 1) } }, 5);
      assert.equal(hex(bytes), hex(bytesOf(`32 * 'a/b' 0001 { 03 '${'é'.repeat(size >> 1)}' } "x"`)));
    }
  });

  test('leaves out what a version does not have', () => {
    const properties = { reasonString: 'why' };
    const cases: [Packet, string][] = [
      [{ type: PacketType.PUBACK, packetId: 1, reasonCode: 0x87, properties }, '40020001'],
      [{ type: PacketType.DISCONNECT, reasonCode: 0x8b, properties }, 'e000'],
      [{ type: PacketType.UNSUBACK, packetId: 1, reasonCodes: [0x11], properties }, 'b0020001'],
      [{ type: PacketType.SUBACK, packetId: 1, reasonCodes: [0, 0x87, 0x8f], properties }, '90050001008080'],
      [{ ...publish, properties: { contentType: 'x' } }, '32080003612f62000178'],
    ];
    for (const [packet, expected] of cases) assert.equal(hex(encode(packet, 4)), expected);
    assert.equal(hex(encode({ type: PacketType.CONNACK, sessionPresent: true, reasonCode: 0 }, 3)), '20020000');
  });

  test('leaves out an empty set of properties where it may', () => {
    const cases: [Packet, string][] = [
      [{ type: PacketType.PUBREL, packetId: 1, reasonCode: 0x92, properties: {} }, '6203000192'],
      [{ type: PacketType.PUBACK, packetId: 1, reasonCode: 0, properties: {} }, '40020001'],
      [{ type: PacketType.DISCONNECT, reasonCode: 0x8e, properties: {} }, 'e0018e'],
      [{ type: PacketType.SUBACK, packetId: 1, reasonCodes: [0], properties: {} }, '900400010000'],
    ];
    for (const [packet, expected] of cases) assert.equal(hex(encode(packet, 5)), expected);
  });

  test('writes an acknowledgement into memory of the caller [MQTT-3.6.1-1] [MQTT3-3.6.1-1]', () => {
    const target = new Uint8Array(10);
    const next = writeAcknowledgement(target, 1, PacketType.PUBREL, 0xabcd);
    assert.equal(writeAcknowledgement(target, next, PacketType.PUBACK, 1), 9);
    assert.equal(hex(target), '006202abcd4002000100');
  });

  test('tells where the packet identifier of a PUBLISH stands', () => {
    for (const size of [0, 200, 20_000, 3_000_000]) {
      const bytes = encodePublish({ ...publish, packetId: 0x1234, payload: new Uint8Array(size) }, 5);
      const room = new Uint8Array(3 + bytes.length);
      room.set(bytes, 3);
      const at = packetIdOffset(room, 3);
      assert.deepEqual([room[at], room[at + 1]], [0x12, 0x34]);
    }
  });

  test('refuses a packet beyond the largest remaining length', () => {
    const payload = new Uint8Array(MAXIMUM_VARIABLE_BYTE_INTEGER);
    assert.throws(
      () => encode({ ...publish, payload }, 4),
      (error) => error instanceof CodecError && error.reasonCode === packetTooLarge,
    );
  });
});

test('Variable byte integers take the least number of bytes [MQTT-1.5.5-1]', () => {
  const edges: [number, string][] = [
    [0, '00'],
    [127, '7f'],
    [128, '8001'],
    [16_383, 'ff7f'],
    [16_384, '808001'],
    [2_097_151, 'ffff7f'],
    [2_097_152, '80808001'],
    [MAXIMUM_VARIABLE_BYTE_INTEGER, 'ffffff7f'],
  ];
  for (const [value, expected] of edges) {
    const target = new Uint8Array(4);
    const end = writeVariableByteInteger(target, 0, value);
    assert.equal(hex(target.subarray(0, end)), expected);
    assert.equal(variableByteIntegerLength(value), end);
  }
});
