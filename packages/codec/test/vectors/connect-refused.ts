import { ReasonCode } from '@moat/codec';
import { refused, type Vector } from './vector.js';

const { clientIdentifierNotValid, malformedPacket, protocolError, topicNameInvalid, unsupportedProtocolVersion } =
  ReasonCode;

export const refusedConnectVectors: Vector[] = [
  ...refused('client', [0], unsupportedProtocolVersion, [
    { title: 'CONNECT with another protocol name [MQTT-3.1.2-1] [MQTT3-3.1.2-1]', bytes: "10 * 'MQTX' 04 02 003c 'c'" },
    {
      title: 'CONNECT with an unknown protocol version [MQTT-3.1.2-2] [MQTT3-3.1.2-2]',
      bytes: "10 * 'MQTT' 06 02 003c 'c'",
    },
    { title: 'CONNECT with protocol version 0', bytes: "10 * 'MQTT' 00 02 003c 'c'" },
    { title: 'CONNECT named MQTT with the version of 3.1', bytes: "10 * 'MQTT' 03 02 003c 'c'" },
    { title: 'CONNECT named MQIsdp with the version of 3.1.1', bytes: "10 * 'MQIsdp' 04 02 003c 'c'" },
    { title: 'CONNECT of 5.0 with the bridge bit', bytes: "10 * 'MQTT' 85 02 003c {} 'c'" },
  ]),
  ...refused('client', [0], malformedPacket, [
    { title: 'An empty CONNECT', bytes: '10 00' },
    { title: 'CONNECT that ends within the protocol name', bytes: '10 04 0004 4d51' },
    { title: 'CONNECT without protocol version', bytes: "10 * 'MQTT'" },
    {
      title: 'CONNECT with a reserved bit in its first byte [MQTT-2.1.3-1] [MQTT3-2.2.2-1]',
      bytes: "11 * 'MQTT' 04 02 003c 'c'",
    },
    { title: 'CONNECT of 5.0 with a reserved bit in its first byte', bytes: "18 * 'MQTT' 05 02 003c {} 'c'" },
  ]),
  ...refused('client', [4], malformedPacket, [
    { title: 'CONNECT with the reserved flag [MQTT-3.1.2-3] [MQTT3-3.1.2-3]', bytes: "10 * 'MQTT' 04 03 003c 'c'" },
    {
      title: 'CONNECT with a will QoS but no will [MQTT3-3.1.2-11] [MQTT3-3.1.2-13]',
      bytes: "10 * 'MQTT' 04 0a 003c 'c'",
    },
    { title: 'CONNECT with will retain but no will [MQTT3-3.1.2-15]', bytes: "10 * 'MQTT' 04 22 003c 'c'" },
    { title: 'CONNECT with will QoS 3 [MQTT3-3.1.2-14]', bytes: "10 * 'MQTT' 04 1e 003c 'c' 'w' ''" },
    { title: 'CONNECT with a password and no user name [MQTT3-3.1.2-22]', bytes: "10 * 'MQTT' 04 42 003c 'c' 'p'" },
    { title: 'CONNECT without client identifier [MQTT3-3.1.3-3]', bytes: "10 * 'MQTT' 04 02 003c" },
    { title: 'CONNECT without the will that is announced [MQTT3-3.1.2-9]', bytes: "10 * 'MQTT' 04 06 003c 'c'" },
    { title: 'CONNECT without the user name that is announced [MQTT3-3.1.2-19]', bytes: "10 * 'MQTT' 04 82 003c 'c'" },
    {
      title: 'CONNECT without the password that is announced [MQTT3-3.1.2-21]',
      bytes: "10 * 'MQTT' 04 c2 003c 'c' 'u'",
    },
    {
      title: 'CONNECT with a user name that is not announced [MQTT3-3.1.2-18]',
      bytes: "10 * 'MQTT' 04 02 003c 'c' 'u'",
    },
    {
      title: 'CONNECT with a password that is not announced [MQTT3-3.1.2-20]',
      bytes: "10 * 'MQTT' 04 82 003c 'c' 'u' 'p'",
    },
    {
      title: 'CONNECT with a will topic of bad UTF-8 [MQTT3-3.1.3-10]',
      bytes: "10 * 'MQTT' 04 06 003c 'c' 0001 ff ''",
    },
    {
      title: 'CONNECT with a user name of bad UTF-8 [MQTT3-3.1.3-11]',
      bytes: "10 * 'MQTT' 04 82 003c 'c' 0003 eda080",
    },
    { title: 'CONNECT with a control character in the user name', bytes: "10 * 'MQTT' 04 82 003c 'c' 0003 610a62" },
    { title: 'CONNECT with no character in the will topic', bytes: "10 * 'MQTT' 04 06 003c 'c' 0003 efbfbf ''" },
  ]),
  ...refused('client', [5], malformedPacket, [
    { title: 'CONNECT with the reserved flag [MQTT-3.1.2-3]', bytes: "10 * 'MQTT' 05 03 003c {} 'c'" },
    { title: 'CONNECT with a will QoS but no will [MQTT-3.1.2-11]', bytes: "10 * 'MQTT' 05 12 003c {} 'c'" },
    { title: 'CONNECT with will retain but no will [MQTT-3.1.2-13]', bytes: "10 * 'MQTT' 05 22 003c {} 'c'" },
    { title: 'CONNECT with will QoS 3 [MQTT-3.1.2-12]', bytes: "10 * 'MQTT' 05 1e 003c {} 'c' {} 'w' ''" },
    { title: 'CONNECT without properties length [MQTT-2.2.2-1]', bytes: "10 * 'MQTT' 05 02 003c" },
    { title: 'CONNECT without client identifier [MQTT-3.1.3-3]', bytes: "10 * 'MQTT' 05 02 003c {}" },
    { title: 'CONNECT without the will that is announced [MQTT-3.1.2-9]', bytes: "10 * 'MQTT' 05 06 003c {} 'c'" },
    {
      title: 'CONNECT without the user name that is announced [MQTT-3.1.2-17]',
      bytes: "10 * 'MQTT' 05 82 003c {} 'c'",
    },
    {
      title: 'CONNECT with a user name that is not announced [MQTT-3.1.2-16]',
      bytes: "10 * 'MQTT' 05 02 003c {} 'c' 'u'",
    },
    {
      title: 'CONNECT without the password that is announced [MQTT-3.1.2-19]',
      bytes: "10 * 'MQTT' 05 c2 003c {} 'c' 'u'",
    },
    {
      title: 'CONNECT with a password that is not announced [MQTT-3.1.2-18]',
      bytes: "10 * 'MQTT' 05 82 003c {} 'c' 'u' 'p'",
    },
    {
      title: 'CONNECT with a will topic of bad UTF-8 [MQTT-3.1.3-11]',
      bytes: "10 * 'MQTT' 05 06 003c {} 'c' {} 0001 80 ''",
    },
    { title: 'CONNECT with a user name of bad UTF-8 [MQTT-3.1.3-12]', bytes: "10 * 'MQTT' 05 82 003c {} 'c' 0001 ff" },
    {
      title: 'CONNECT with a user property of bad UTF-8 [MQTT-1.5.7-1]',
      bytes: "10 * 'MQTT' 05 02 003c { 26 'a' 0001 ff } 'c'",
    },
    { title: 'CONNECT with a property of PUBLISH', bytes: "10 * 'MQTT' 05 02 003c { 23 0001 } 'c'" },
    { title: 'CONNECT with an unknown property', bytes: "10 * 'MQTT' 05 02 003c { 7f 00 } 'c'" },
    { title: 'CONNECT with property 0', bytes: "10 * 'MQTT' 05 02 003c { 00 00 } 'c'" },
    { title: 'CONNECT with a property identifier in two bytes', bytes: "10 * 'MQTT' 05 02 003c { a100 0001 } 'c'" },
    {
      title: 'CONNECT with a property of the will in the wrong place',
      bytes: "10 * 'MQTT' 05 02 003c { 18 00000001 } 'c'",
    },
    {
      title: 'CONNECT with a property of CONNECT in the will',
      bytes: "10 * 'MQTT' 05 06 003c {} 'c' { 21 0001 } 'w' ''",
    },
    { title: 'CONNECT with properties that end within a property', bytes: "10 * 'MQTT' 05 02 003c { 11 0000 } 'c'" },
    { title: 'CONNECT with properties that exceed the packet', bytes: "10 * 'MQTT' 05 02 003c 7f 21 0001" },
    {
      title: 'CONNECT with a property length that is not minimal [MQTT-1.5.5-1]',
      bytes: "10 * 'MQTT' 05 02 003c 8000 'c'",
    },
    {
      title: 'CONNECT with a remaining length that is not minimal [MQTT-1.5.5-1]',
      bytes: "10 8e00 'MQTT' 05 02 003c 00 'c'",
    },
  ]),
  ...refused('client', [4], clientIdentifierNotValid, [
    {
      title: 'CONNECT with a client identifier of bad UTF-8 [MQTT3-3.1.3-4] [MQTT3-1.5.3-1]',
      bytes: "10 * 'MQTT' 04 02 003c 0002 c328",
    },
    {
      title: 'CONNECT with U+0000 in the client identifier [MQTT3-1.5.3-2]',
      bytes: "10 * 'MQTT' 04 02 003c 0003 610062",
    },
    { title: 'CONNECT with a control character in the client identifier', bytes: "10 * 'MQTT' 04 02 003c 0002 c285" },
  ]),
  ...refused('client', [5], clientIdentifierNotValid, [
    {
      title: 'CONNECT with a client identifier of bad UTF-8 [MQTT-3.1.3-4]',
      bytes: "10 * 'MQTT' 05 02 003c {} 0002 c0af",
    },
  ]),
  ...refused('client', [5], protocolError, [
    { title: 'CONNECT with a property twice', bytes: "10 * 'MQTT' 05 02 003c { 21 0001 21 0001 } 'c'" },
    { title: 'CONNECT with receive maximum 0', bytes: "10 * 'MQTT' 05 02 003c { 21 0000 } 'c'" },
    { title: 'CONNECT with maximum packet size 0', bytes: "10 * 'MQTT' 05 02 003c { 27 00000000 } 'c'" },
    { title: 'CONNECT with request response information 2', bytes: "10 * 'MQTT' 05 02 003c { 19 02 } 'c'" },
    { title: 'CONNECT with request problem information 2', bytes: "10 * 'MQTT' 05 02 003c { 17 02 } 'c'" },
    { title: 'CONNECT with authentication data and no method', bytes: "10 * 'MQTT' 05 02 003c { 16 'x' } 'c'" },
    { title: 'CONNECT with authentication method twice', bytes: "10 * 'MQTT' 05 02 003c { 15 'x' 15 'x' } 'c'" },
    {
      title: 'CONNECT with a payload format indicator of 2 in its will',
      bytes: "10 * 'MQTT' 05 06 003c {} 'c' { 01 02 } 'w' ''",
    },
    {
      title: 'CONNECT with a wildcard in the response topic of its will',
      bytes: "10 * 'MQTT' 05 06 003c {} 'c' { 08 'a/#' } 'w' ''",
    },
  ]),
  ...refused('client', [5], topicNameInvalid, [
    {
      title: 'CONNECT with a wildcard in the will topic [MQTT-4.7.0-1]',
      bytes: "10 * 'MQTT' 05 06 003c {} 'c' {} 'w/+' ''",
    },
    { title: 'CONNECT with an empty will topic [MQTT-4.7.3-1]', bytes: "10 * 'MQTT' 05 06 003c {} 'c' {} '' ''" },
  ]),
];
