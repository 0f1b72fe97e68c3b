import { PacketType, ReasonCode } from '@moat/codec';
import { utf8 } from '../notation.js';
import { accepted, BEFORE_5, EVERY, ONLY_5, refused, type Vector } from './vector.js';

const { PUBACK, PUBREC, PUBREL, PUBCOMP } = PacketType;
const { malformedPacket, protocolError, topicAliasInvalid, success } = ReasonCode;
const plain = { type: PacketType.PUBLISH, retain: false, dup: false, qos: 0, packetId: 0 } as const;

export const publishVectors: Vector[] = [
  ...accepted('client', BEFORE_5, [
    {
      title: 'PUBLISH of QoS 0 has no packet identifier [MQTT-2.2.1-2] [MQTT3-2.3.1-5] [MQTT3-3.3.2-1]',
      bytes: `30 * 'a/b' "hello"`,
      packet: { ...plain, topic: 'a/b', payload: utf8('hello') },
    },
    {
      title: 'PUBLISH with an empty payload',
      bytes: "31 * 'é'",
      packet: { ...plain, topic: 'é', payload: utf8(''), retain: true },
    },
    {
      title: 'PUBLISH of QoS 2, retained, sent again',
      bytes: `3d * '/' ffff "x"`,
      packet: { ...plain, topic: '/', payload: utf8('x'), qos: 2, retain: true, dup: true, packetId: 65535 },
    },
    ...([PUBACK, PUBREC, PUBREL, PUBCOMP] as const).map((type) => ({
      title: `Acknowledgement of type ${type}`,
      bytes: `${((type << 4) | (type === PUBREL ? 2 : 0)).toString(16)} 02 0001`,
      packet: { type, packetId: 1, reasonCode: success },
    })),
  ]),
  ...accepted('client', ONLY_5, [
    {
      title: 'PUBLISH of QoS 0 without properties [MQTT-2.2.1-2] [MQTT-3.3.2-1]',
      bytes: `30 * 'a/b' {} "hello"`,
      packet: { ...plain, topic: 'a/b', payload: utf8('hello') },
    },
    {
      title:
        'PUBLISH with every property of a client, user properties in order [MQTT-3.3.2-18] [MQTT-3.3.2-13] [MQTT-3.3.2-19]',
      bytes: `32 * 'a' 0a0b { 01 00 02 00000000 23 ffff 08 'r' 09 '' 26 'b' '1' 26 'a' '2' 03 '' } "x"`,
      packet: {
        ...plain,
        topic: 'a',
        payload: utf8('x'),
        qos: 1,
        packetId: 0x0a0b,
        properties: {
          payloadFormatIndicator: 0,
          messageExpiryInterval: 0,
          topicAlias: 65535,
          responseTopic: 'r',
          correlationData: utf8(''),
          userProperties: [
            ['b', '1'],
            ['a', '2'],
          ],
          contentType: '',
        },
      },
    },
    {
      title: 'PUBLISH with a topic alias in place of the topic name',
      bytes: "30 * '' { 23 0001 }",
      packet: { ...plain, topic: '', payload: utf8(''), properties: { topicAlias: 1 } },
    },
    ...([PUBACK, PUBREC, PUBREL, PUBCOMP] as const).flatMap((type) => {
      const first = ((type << 4) | (type === PUBREL ? 2 : 0)).toString(16);
      return [
        {
          title: `Acknowledgement of type ${type} of two bytes`,
          bytes: `${first} 02 0001`,
          packet: { type, packetId: 1, reasonCode: success },
        },
        {
          title: `Acknowledgement of type ${type} with a reason code only`,
          bytes: `${first} 03 0001 00`,
          packet: { type, packetId: 1, reasonCode: success },
          alternative: true as const,
        },
        {
          title: `Acknowledgement of type ${type} with empty properties`,
          bytes: `${first} 04 0001 00 00`,
          packet: { type, packetId: 1, reasonCode: success },
          alternative: true as const,
        },
        {
          title: `Acknowledgement of type ${type} with everything`,
          bytes: `${first} * ffff ${type < PUBREL ? '97' : '92'} { 1f 'why' 26 'a' 'b' }`,
          packet: {
            type,
            packetId: 65535,
            reasonCode: type < PUBREL ? ReasonCode.quotaExceeded : ReasonCode.packetIdentifierNotFound,
            properties: { reasonString: 'why', userProperties: [['a', 'b'] as const] },
          },
        },
      ];
    }),
  ]),
  ...accepted('server', ONLY_5, [
    {
      title: 'PUBLISH from the server with several subscription identifiers',
      bytes: "30 * 'a' { 0b 01 0b ffffff7f 0b 8001 }",
      packet: {
        ...plain,
        topic: 'a',
        payload: utf8(''),
        properties: { subscriptionIdentifiers: [1, 268_435_455, 128] },
      },
    },
  ]),
  ...accepted(
    'client',
    [3],
    [
      {
        title: 'PUBREL of 3.1 with the DUP flag',
        bytes: '6a 02 0001',
        packet: { type: PUBREL, packetId: 1, reasonCode: success },
        alternative: true,
      },
    ],
  ),
  ...accepted('client', BEFORE_5, [
    {
      title: 'Before 5.0 a remaining length may be longer than it need be',
      bytes: "30 838000 'a'",
      packet: { ...plain, topic: 'a', payload: utf8('') },
      alternative: true,
    },
  ]),
  ...refused('client', EVERY, malformedPacket, [
    { title: 'PUBLISH with QoS 3 [MQTT-3.3.1-4] [MQTT3-3.3.1-4]', bytes: '36' },
    { title: 'PUBLISH with DUP and QoS 0 [MQTT-3.3.1-2] [MQTT3-3.3.1-2]', bytes: '38' },
    { title: 'An empty PUBLISH', bytes: '30 00' },
    { title: 'PUBLISH that ends within the topic name', bytes: '30 03 0002 61' },
    { title: 'PUBLISH of QoS 1 without packet identifier', bytes: "32 03 'a'" },
    { title: 'PUBLISH of QoS 1 with half a packet identifier', bytes: "32 04 'a' 00" },
    {
      title: 'PUBLISH with a topic name of bad UTF-8 [MQTT-1.5.4-1] [MQTT-3.3.2-1] [MQTT3-3.3.2-1]',
      bytes: '30 * 0002 c328 00',
    },
    {
      title: 'PUBLISH with a surrogate in the topic name [MQTT-1.5.4-1] [MQTT3-1.5.3-1]',
      bytes: '30 * 0003 eda080 00',
    },
    { title: 'PUBLISH with an overlong sequence in the topic name', bytes: '30 * 0002 c080 00' },
    { title: 'PUBLISH with a code point above U+10FFFF in the topic name', bytes: '30 * 0004 f4908080 00' },
    {
      title: 'PUBLISH with U+0000 in the topic name [MQTT-1.5.4-2] [MQTT-4.7.3-2] [MQTT3-4.7.3-2]',
      bytes: '30 * 0003 610062 00',
    },
    { title: 'PUBLISH with U+0000 in a topic name beyond ASCII', bytes: '30 * 0003 c3a900 00' },
    { title: 'A remaining length of five bytes [MQTT-1.5.5-1]', bytes: '30 ffffffff' },
    { title: 'PUBREL with flags 0000 [MQTT-3.6.1-1] [MQTT3-3.6.1-1]', bytes: '60' },
    { title: 'PUBACK with flags', bytes: '42' },
    { title: 'PUBACK of one byte', bytes: '40 01 00' },
    { title: 'An empty PUBCOMP', bytes: '70 00' },
  ]),
  ...refused('client', BEFORE_5, malformedPacket, [
    { title: 'PUBACK of three bytes before 5.0', bytes: '40 03 0001 00' },
  ]),
  ...refused('client', [4, 5], malformedPacket, [
    { title: 'PUBREL with the DUP flag, which only 3.1 had [MQTT-3.6.1-1] [MQTT3-3.6.1-1]', bytes: '6a' },
  ]),
  ...refused('client', ONLY_5, malformedPacket, [
    { title: 'PUBLISH without property length [MQTT-2.2.2-1]', bytes: "30 * 'a'" },
    { title: 'PUBLISH with properties that exceed the packet', bytes: "30 * 'a' 05 01 00" },
    { title: 'PUBLISH with a property of CONNECT', bytes: "30 * 'a' { 21 0001 }" },
    { title: 'PUBLISH with a property length of five bytes', bytes: "30 * 'a' 8080808001" },
    { title: 'PUBLISH with a response topic of bad UTF-8 [MQTT-3.3.2-13]', bytes: "30 * 'a' { 08 0001 ff }" },
    { title: 'PUBLISH with a content type of bad UTF-8 [MQTT-3.3.2-19]', bytes: "30 * 'a' { 03 0001 ff }" },
    { title: 'PUBLISH with a remaining length that is not minimal [MQTT-1.5.5-1]', bytes: "30 8400 'a' 00" },
    { title: 'PUBACK with bytes behind its properties', bytes: '40 05 0001 00 00 00' },
    { title: 'PUBACK with a property of PUBLISH', bytes: '40 * 0001 00 { 01 00 }' },
  ]),
  ...refused('client', EVERY, protocolError, [
    { title: 'PUBLISH with packet identifier 0 [MQTT-2.2.1-3] [MQTT3-2.3.1-1]', bytes: "32 * 'a' 0000 00" },
    { title: 'PUBACK with packet identifier 0', bytes: '40 02 0000' },
  ]),
  ...refused('client', BEFORE_5, protocolError, [
    { title: 'PUBLISH with an empty topic name [MQTT3-4.7.3-1]', bytes: "30 * ''" },
  ]),
  ...refused('client', EVERY, malformedPacket, [
    {
      title: 'PUBLISH with # in the topic name [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT3-3.3.2-2] [MQTT3-4.7.1-1]',
      bytes: "30 * 'a/#' 00",
    },
    { title: 'PUBLISH with + in the topic name [MQTT-3.3.2-2] [MQTT3-3.3.2-2]', bytes: "30 * 'a+b' 00" },
  ]),
  ...refused('client', ONLY_5, protocolError, [
    { title: 'PUBLISH with neither topic name nor alias [MQTT-4.7.3-1]', bytes: "30 * '' {}" },
    { title: 'PUBLISH with an empty topic name and other properties', bytes: "30 * '' { 01 00 }" },
    { title: 'PUBLISH from a client with a subscription identifier [MQTT-3.3.4-6]', bytes: "30 * 'a' { 0b 01 }" },
    { title: 'PUBLISH with two topic aliases', bytes: "30 * 'a' { 23 0001 23 0001 }" },
    { title: 'PUBLISH with a payload format indicator of 2', bytes: "30 * 'a' { 01 02 }" },
    { title: 'PUBLISH with two content types', bytes: "30 * 'a' { 03 '' 03 '' }" },
    { title: 'PUBLISH with a wildcard in the response topic [MQTT-3.3.2-14]', bytes: "30 * 'a' { 08 'b/+' }" },
    { title: 'PUBLISH with an empty response topic', bytes: "30 * 'a' { 08 '' }" },
    { title: 'PUBACK with a reason code of SUBACK [MQTT-3.4.2-1]', bytes: '40 03 0001 02' },
    { title: 'PUBREC with an unknown reason code [MQTT-3.5.2-1]', bytes: '50 03 0001 7f' },
    { title: 'PUBREL with a reason code of PUBACK [MQTT-3.6.2-1]', bytes: '62 03 0001 87' },
    { title: 'PUBCOMP with a reason code of PUBACK [MQTT-3.7.2-1]', bytes: '70 03 0001 10' },
    { title: 'PUBACK with two reason strings', bytes: "40 * 0001 00 { 1f '' 1f '' }" },
  ]),
  ...refused('client', ONLY_5, topicAliasInvalid, [
    { title: 'PUBLISH with topic alias 0 [MQTT-3.3.2-8]', bytes: "30 * 'a' { 23 0000 }" },
  ]),
  ...refused('server', ONLY_5, protocolError, [
    { title: 'PUBLISH from the server with subscription identifier 0', bytes: "30 * 'a' { 0b 00 }" },
  ]),
];
