import { PacketType, ReasonCode } from '@moat/codec';
import { utf8 } from '../notation.js';
import { accepted, BEFORE_5, EVERY, ONLY_5, refused, type Vector } from './vector.js';

const { CONNACK, PINGREQ, PINGRESP, DISCONNECT, AUTH } = PacketType;
const { malformedPacket, protocolError } = ReasonCode;

/** CONNACK, pings, DISCONNECT, AUTH, and packets that the other side must not send. */
export const sessionVectors: Vector[] = [
  ...accepted('server', BEFORE_5, [
    {
      title: 'CONNACK before 5.0',
      bytes: '20 02 00 00',
      packet: { type: CONNACK, sessionPresent: false, reasonCode: 0 },
    },
    {
      title: 'CONNACK that refuses',
      bytes: '20 02 00 05',
      packet: { type: CONNACK, sessionPresent: false, reasonCode: 5 },
    },
  ]),
  ...accepted(
    'server',
    [4],
    [
      {
        title: 'CONNACK with session present',
        bytes: '20 02 01 00',
        packet: { type: CONNACK, sessionPresent: true, reasonCode: 0 },
      },
    ],
  ),
  ...accepted('server', ONLY_5, [
    { title: 'CONNACK of 5.0', bytes: '20 * 01 00 {}', packet: { type: CONNACK, sessionPresent: true, reasonCode: 0 } },
    {
      title: 'CONNACK with every property',
      bytes: `20 * 00 9d { 11 00000001 21 0001 24 01 25 00 27 ffffffff 12 'id' 22 0000 1f 'moved' 26 'a' 'b'
        28 01 29 00 2a 01 13 003c 1a 'info' 1c 'other:1883' 15 'm' 16 'd' }`,
      packet: {
        type: CONNACK,
        sessionPresent: false,
        reasonCode: ReasonCode.serverMoved,
        properties: {
          sessionExpiryInterval: 1,
          receiveMaximum: 1,
          maximumQoS: 1,
          retainAvailable: false,
          maximumPacketSize: 0xffffffff,
          assignedClientIdentifier: 'id',
          topicAliasMaximum: 0,
          reasonString: 'moved',
          userProperties: [['a', 'b']],
          wildcardSubscriptionAvailable: true,
          subscriptionIdentifiersAvailable: false,
          sharedSubscriptionAvailable: true,
          serverKeepAlive: 60,
          responseInformation: 'info',
          serverReference: 'other:1883',
          authenticationMethod: 'm',
          authenticationData: utf8('d'),
        },
      },
    },
    {
      title: 'DISCONNECT of the server',
      bytes: "e0 * 9c { 1f 'why' 1c 'there' 26 'a' 'b' }",
      packet: {
        type: DISCONNECT,
        reasonCode: ReasonCode.useAnotherServer,
        properties: { reasonString: 'why', serverReference: 'there', userProperties: [['a', 'b']] },
      },
    },
    { title: 'An empty AUTH of the server', bytes: 'f0 00', packet: { type: AUTH, reasonCode: 0 } },
  ]),
  ...accepted('client', EVERY, [
    { title: 'PINGREQ', bytes: 'c0 00', packet: { type: PINGREQ } },
    { title: 'An empty DISCONNECT', bytes: 'e0 00', packet: { type: DISCONNECT, reasonCode: 0 } },
  ]),
  ...accepted('server', EVERY, [{ title: 'PINGRESP', bytes: 'd0 00', packet: { type: PINGRESP } }]),
  ...accepted('client', ONLY_5, [
    {
      title: 'DISCONNECT with a reason code only',
      bytes: 'e0 01 04',
      packet: { type: DISCONNECT, reasonCode: ReasonCode.disconnectWithWillMessage },
    },
    {
      title: 'DISCONNECT with a session expiry interval',
      bytes: 'e0 * 00 { 11 0000000a }',
      packet: { type: DISCONNECT, reasonCode: 0, properties: { sessionExpiryInterval: 10 } },
    },
    {
      title: 'AUTH to authenticate again',
      bytes: "f0 * 19 { 15 'm' 16 'd' 1f 'why' 26 'a' 'b' }",
      packet: {
        type: AUTH,
        reasonCode: ReasonCode.reAuthenticate,
        properties: {
          authenticationMethod: 'm',
          authenticationData: utf8('d'),
          reasonString: 'why',
          userProperties: [['a', 'b']],
        },
      },
    },
  ]),
  ...refused('client', EVERY, protocolError, [{ title: 'Packet type 0', bytes: '00' }]),
  ...refused('client', EVERY, malformedPacket, [
    { title: 'PINGREQ with a flag [MQTT-2.1.3-1] [MQTT3-2.2.2-1] [MQTT3-2.2.2-2]', bytes: 'c1' },
    { title: 'PINGREQ with a payload', bytes: 'c0 01 00' },
    { title: 'DISCONNECT with a flag [MQTT-3.14.1-1] [MQTT3-3.14.1-1]', bytes: 'e1' },
  ]),
  ...refused('client', BEFORE_5, malformedPacket, [
    { title: 'DISCONNECT with a reason code before 5.0', bytes: 'e0 01 00' },
    { title: 'AUTH before 5.0', bytes: 'f0' },
  ]),
  ...refused('client', ONLY_5, malformedPacket, [
    { title: 'AUTH with a flag [MQTT-3.15.1-1]', bytes: 'f1' },
    { title: 'DISCONNECT with bytes behind its properties', bytes: 'e0 03 00 00 00' },
    { title: 'AUTH with bytes behind its properties', bytes: "f0 * 18 { 15 'm' } 00" },
  ]),
  ...refused('client', EVERY, protocolError, [
    { title: 'A second CONNECT [MQTT-3.1.0-2] [MQTT3-3.1.0-2]', bytes: '10' },
    { title: 'CONNACK from a client', bytes: '20' },
    { title: 'SUBACK from a client', bytes: '90' },
    { title: 'UNSUBACK from a client', bytes: 'b0' },
    { title: 'PINGRESP from a client', bytes: 'd0' },
  ]),
  ...refused('client', ONLY_5, protocolError, [
    { title: "DISCONNECT of a client with a server's reason code [MQTT-3.14.2-1]", bytes: 'e0 01 8b' },
    { title: 'DISCONNECT with an unknown reason code [MQTT-3.14.2-1]', bytes: 'e0 01 01' },
    { title: 'An empty AUTH of a client, which means success [MQTT-3.15.2-1]', bytes: 'f0 00' },
    { title: 'AUTH with an unknown reason code [MQTT-3.15.2-1]', bytes: "f0 * 17 { 15 'm' }" },
    { title: 'AUTH without authentication method', bytes: "f0 * 18 { 16 'd' }" },
  ]),
  ...refused('server', EVERY, protocolError, [
    { title: 'CONNECT from the server', bytes: '10' },
    { title: 'SUBSCRIBE from the server', bytes: '82' },
    { title: 'UNSUBSCRIBE from the server', bytes: 'a2' },
    { title: 'PINGREQ from the server', bytes: 'c0' },
  ]),
  ...refused('server', BEFORE_5, protocolError, [
    { title: 'DISCONNECT from the server before 5.0', bytes: 'e0' },
    { title: 'CONNACK with a reserved return code', bytes: '20 02 00 06' },
  ]),
  ...refused('server', [4], protocolError, [
    { title: 'CONNACK that refuses with session present [MQTT3-3.2.2-4]', bytes: '20 02 01 05' },
  ]),
  ...refused('server', [4], malformedPacket, [{ title: 'CONNACK with reserved flags', bytes: '20 02 02 00' }]),
  ...refused('server', ONLY_5, malformedPacket, [
    { title: 'CONNACK with reserved flags [MQTT-3.2.2-1]', bytes: '20 * 02 00 {}' },
    { title: 'CONNACK without property length', bytes: '20 02 00 00' },
  ]),
  ...refused('server', ONLY_5, protocolError, [
    { title: 'CONNACK that refuses with session present [MQTT-3.2.2-6]', bytes: '20 * 01 87 {}' },
    { title: 'CONNACK with an unknown reason code [MQTT-3.2.2-8]', bytes: '20 * 00 01 {}' },
    { title: 'CONNACK with a maximum QoS of 2', bytes: '20 * 00 00 { 24 02 }' },
    { title: 'CONNACK with retain available 2', bytes: '20 * 00 00 { 25 02 }' },
    {
      title: 'DISCONNECT of the server with a session expiry interval [MQTT-3.14.2-2]',
      bytes: 'e0 * 8b { 11 00000001 }',
    },
    { title: 'DISCONNECT of the server with a reason code of a client [MQTT-3.14.2-1]', bytes: 'e0 01 04' },
    { title: 'AUTH of the server that asks to authenticate again [MQTT-3.15.2-1]', bytes: "f0 * 19 { 15 'm' }" },
  ]),
];
