import { PacketType, ReasonCode, type SubscriptionRequest } from '@moat/codec';
import { accepted, BEFORE_5, EVERY, ONLY_5, refused, type Vector } from './vector.js';

const { SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK } = PacketType;
const { malformedPacket, protocolError, success } = ReasonCode;

function request(filter: string, options: Partial<SubscriptionRequest> = {}): SubscriptionRequest {
  return { filter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, ...options };
}

export const subscribeVectors: Vector[] = [
  ...accepted('client', BEFORE_5, [
    {
      title: 'SUBSCRIBE with several filters [MQTT3-3.8.3-1]',
      bytes: "82 * 0001 'a/+/b' 00 '#' 01 '$SYS/#' 02",
      packet: {
        type: SUBSCRIBE,
        packetId: 1,
        subscriptions: [request('a/+/b'), request('#', { qos: 1 }), request('$SYS/#', { qos: 2 })],
      },
    },
    {
      title: 'UNSUBSCRIBE with several filters [MQTT3-3.10.3-1]',
      bytes: "a2 * ffff 'a/+' '+'",
      packet: { type: UNSUBSCRIBE, packetId: 65535, filters: ['a/+', '+'] },
    },
  ]),
  ...accepted('client', ONLY_5, [
    {
      title: 'SUBSCRIBE with every option and property [MQTT-3.8.3-1]',
      bytes: "82 * 0001 { 0b 8001 26 'a' 'b' } 'a' 2e '$share/g/+/x' 19",
      packet: {
        type: SUBSCRIBE,
        packetId: 1,
        subscriptions: [
          request('a', { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 }),
          request('$share/g/+/x', { qos: 1, retainAsPublished: true, retainHandling: 1 }),
        ],
        properties: { subscriptionIdentifiers: [128], userProperties: [['a', 'b']] },
      },
    },
    {
      title: 'UNSUBSCRIBE with a user property [MQTT-3.10.3-1]',
      bytes: "a2 * 0001 { 26 'a' 'b' } '$share/g/a'",
      packet: {
        type: UNSUBSCRIBE,
        packetId: 1,
        filters: ['$share/g/a'],
        properties: { userProperties: [['a', 'b']] },
      },
    },
  ]),
  ...accepted(
    'client',
    [3],
    [
      {
        title: 'SUBSCRIBE of 3.1 with the DUP flag',
        bytes: "8a * 0001 'a' 00",
        packet: { type: SUBSCRIBE, packetId: 1, subscriptions: [request('a')] },
        alternative: true,
      },
    ],
  ),
  ...accepted('server', BEFORE_5, [
    {
      title: 'SUBACK before 5.0 [MQTT3-3.9.3-2]',
      bytes: '90 * 0001 00 01 02 80',
      packet: { type: SUBACK, packetId: 1, reasonCodes: [0, 1, 2, 0x80] },
    },
    { title: 'UNSUBACK before 5.0', bytes: 'b0 02 0001', packet: { type: UNSUBACK, packetId: 1, reasonCodes: [] } },
  ]),
  ...accepted('server', ONLY_5, [
    {
      title: 'SUBACK of 5.0 [MQTT-3.9.3-2]',
      bytes: "90 * 0001 { 1f 'why' } 02 87 a2",
      packet: { type: SUBACK, packetId: 1, reasonCodes: [2, 0x87, 0xa2], properties: { reasonString: 'why' } },
    },
    {
      title: 'UNSUBACK of 5.0 [MQTT-3.11.3-2]',
      bytes: 'b0 * 0001 {} 00 11',
      packet: { type: UNSUBACK, packetId: 1, reasonCodes: [success, 0x11] },
    },
  ]),
  ...refused('client', EVERY, malformedPacket, [
    { title: 'SUBSCRIBE with flags 0000 [MQTT-3.8.1-1] [MQTT3-3.8.1-1]', bytes: '80' },
    { title: 'UNSUBSCRIBE with flags 0000 [MQTT-3.10.1-1] [MQTT3-3.10.1-1]', bytes: 'a0' },
    { title: 'An empty SUBSCRIBE', bytes: '82 00' },
    { title: 'An empty UNSUBSCRIBE', bytes: 'a2 00' },
  ]),
  ...refused('client', BEFORE_5, malformedPacket, [
    { title: 'SUBSCRIBE with a filter and no QoS', bytes: "82 * 0001 'a'" },
    { title: 'SUBSCRIBE with packet identifier 0 [MQTT3-2.3.1-1]', bytes: "82 * 0000 'a' 00" },
    { title: 'SUBSCRIBE with reserved bits beside the QoS [MQTT3-3.8.3-4]', bytes: "82 * 0001 'a' 04" },
    { title: 'SUBSCRIBE with QoS 3 [MQTT3-3.8.3-4]', bytes: "82 * 0001 'a' 03" },
    { title: 'SUBSCRIBE with a filter of bad UTF-8 [MQTT3-3.8.3-1]', bytes: '82 * 0001 0001 ff 00' },
    { title: 'UNSUBSCRIBE with a filter of bad UTF-8 [MQTT3-3.10.3-1]', bytes: 'a2 * 0001 0001 ff' },
  ]),
  ...refused('client', ONLY_5, malformedPacket, [
    { title: 'SUBSCRIBE with a filter and no options', bytes: "82 * 0001 {} 'a'" },
    { title: 'SUBSCRIBE with packet identifier 0 [MQTT-2.2.1-3]', bytes: "82 * 0000 {} 'a' 00" },
    { title: 'UNSUBSCRIBE with packet identifier 0 [MQTT-2.2.1-3]', bytes: "a2 * 0000 {} 'a'" },
    { title: 'SUBSCRIBE with a reserved bit 6 in the options [MQTT-3.8.3-5]', bytes: "82 * 0001 {} 'a' 40" },
    { title: 'SUBSCRIBE with a reserved bit 7 in the options [MQTT-3.8.3-5]', bytes: "82 * 0001 {} 'a' 80" },
    { title: 'SUBSCRIBE with a filter of bad UTF-8 [MQTT-3.8.3-1]', bytes: '82 * 0001 {} 0001 ff 00' },
    { title: 'UNSUBSCRIBE with a filter of bad UTF-8 [MQTT-3.10.3-1]', bytes: 'a2 * 0001 {} 0001 ff' },
    { title: 'UNSUBSCRIBE with a subscription identifier', bytes: "a2 * 0001 { 0b 01 } 'a'" },
    { title: 'SUBSCRIBE without property length', bytes: '82 02 0001' },
  ]),
  ...refused('client', BEFORE_5, protocolError, [
    { title: 'SUBSCRIBE without filter [MQTT3-3.8.3-3]', bytes: '82 02 0001' },
    { title: 'UNSUBSCRIBE without filter [MQTT3-3.10.3-2]', bytes: 'a2 02 0001' },
  ]),
  ...refused('client', ONLY_5, protocolError, [
    { title: 'SUBSCRIBE without filter [MQTT-3.8.3-2]', bytes: '82 * 0001 {}' },
    { title: 'UNSUBSCRIBE without filter [MQTT-3.10.3-2]', bytes: 'a2 * 0001 {}' },
    { title: 'SUBSCRIBE with QoS 3', bytes: "82 * 0001 {} 'a' 03" },
    { title: 'SUBSCRIBE with retain handling 3', bytes: "82 * 0001 {} 'a' 30" },
    { title: 'SUBSCRIBE with $share and no filter [MQTT-4.8.2-2]', bytes: "82 * 0001 {} '$share/ab' 00" },
    { title: 'SUBSCRIBE with $share and an empty filter [MQTT-4.8.2-2]', bytes: "82 * 0001 {} '$share/ab/' 00" },
    { title: 'SUBSCRIBE with $share and an empty name [MQTT-4.8.2-1]', bytes: "82 * 0001 {} '$share//a' 00" },
    { title: 'SUBSCRIBE with a wildcard in the share name [MQTT-4.8.2-2]', bytes: "82 * 0001 {} '$share/+/a' 00" },
    { title: 'SUBSCRIBE with no local on a shared subscription [MQTT-3.8.3-4]', bytes: "82 * 0001 {} '$share/g/a' 04" },
    { title: 'SUBSCRIBE with subscription identifier 0', bytes: "82 * 0001 { 0b 00 } 'a' 00" },
    { title: 'SUBSCRIBE with two subscription identifiers', bytes: "82 * 0001 { 0b 01 0b 02 } 'a' 00" },
  ]),
  ...refused('client', BEFORE_5, malformedPacket, [
    { title: 'SUBSCRIBE with an empty filter [MQTT3-4.7.3-1]', bytes: "82 * 0001 '' 00" },
    { title: 'SUBSCRIBE with # before the end [MQTT3-4.7.1-2]', bytes: "82 * 0001 'a/#/b' 00" },
    { title: 'SUBSCRIBE with + within a level [MQTT3-4.7.1-3]', bytes: "82 * 0001 'a+/b' 00" },
    { title: 'UNSUBSCRIBE with # within a level [MQTT3-4.7.1-2]', bytes: "a2 * 0001 'a#'" },
  ]),
  ...refused('client', ONLY_5, malformedPacket, [
    { title: 'SUBSCRIBE with an empty filter [MQTT-4.7.3-1]', bytes: "82 * 0001 {} '' 00" },
    { title: 'SUBSCRIBE with # before the end [MQTT-4.7.1-1]', bytes: "82 * 0001 {} '#/a' 00" },
    { title: 'SUBSCRIBE with + within a level [MQTT-4.7.1-2]', bytes: "82 * 0001 {} '+a' 00" },
    { title: 'UNSUBSCRIBE with an empty filter [MQTT-4.7.3-1]', bytes: "a2 * 0001 {} ''" },
  ]),
  ...refused('server', BEFORE_5, protocolError, [
    { title: 'SUBACK with a reserved return code [MQTT3-3.9.3-2]', bytes: '90 03 0001 03' },
    { title: 'SUBACK with a reason code of 5.0 [MQTT3-3.9.3-2]', bytes: '90 03 0001 87' },
    { title: 'SUBACK without return code', bytes: '90 02 0001' },
  ]),
  ...refused('server', ONLY_5, protocolError, [
    { title: 'SUBACK with an unknown reason code [MQTT-3.9.3-2]', bytes: '90 * 0001 {} 03' },
    { title: 'UNSUBACK with an unknown reason code [MQTT-3.11.3-2]', bytes: 'b0 * 0001 {} 01' },
    { title: 'UNSUBACK without reason code', bytes: 'b0 * 0001 {}' },
  ]),
];
