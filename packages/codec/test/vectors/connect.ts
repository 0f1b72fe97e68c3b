import { PacketType } from '@moat/codec';
import { utf8 } from '../notation.js';
import { accepted, type Vector } from './vector.js';

const type = PacketType.CONNECT;

export const connectVectors: Vector[] = [
  ...accepted(
    'client',
    [3],
    [
      {
        title: 'CONNECT of 3.1',
        bytes: "10 * 'MQIsdp' 03 02 003c 'c'",
        packet: { type, version: 3, cleanStart: true, keepAlive: 60, clientId: 'c' },
      },
      {
        title: 'CONNECT of a 3.1 bridge, with bit 7 of the version',
        bytes: "10 * 'MQIsdp' 83 00 0000 'c'",
        packet: { type, version: 3, bridge: true, cleanStart: false, keepAlive: 0, clientId: 'c' },
      },
      {
        title: 'CONNECT of 3.1 whose flags announce a user name and password that are not there',
        bytes: "10 * 'MQIsdp' 03 c2 003c 'c'",
        packet: { type, version: 3, cleanStart: true, keepAlive: 60, clientId: 'c' },
        alternative: true,
      },
      {
        title: 'CONNECT of 3.1 with flags that 3.1 has no meaning for, in both headers',
        bytes: "14 * 'MQIsdp' 03 03 003c 'c'",
        packet: { type, version: 3, cleanStart: true, keepAlive: 60, clientId: 'c' },
        alternative: true,
      },
    ],
  ),
  ...accepted(
    'client',
    [4],
    [
      {
        title: 'CONNECT of 3.1.1 with every field, in order [MQTT3-3.1.3-1] [MQTT3-3.1.2-19] [MQTT3-3.1.2-21]',
        bytes: "10 * 'MQTT' 04 f6 ffff 'client' 'will/topic' 'gone' 'user' 'pässword'",
        packet: {
          type,
          version: 4,
          cleanStart: true,
          keepAlive: 65535,
          clientId: 'client',
          will: { topic: 'will/topic', payload: utf8('gone'), qos: 2, retain: true },
          username: 'user',
          password: utf8('pässword'),
        },
      },
      {
        title: 'CONNECT of 3.1.1 with an empty client identifier and an empty will',
        bytes: "10 * 'MQTT' 04 06 0000 '' 'w' ''",
        packet: {
          type,
          version: 4,
          cleanStart: true,
          keepAlive: 0,
          clientId: '',
          will: { topic: 'w', payload: utf8(''), qos: 0, retain: false },
        },
      },
      {
        title: 'CONNECT of a 3.1.1 bridge',
        bytes: "10 * 'MQTT' 84 02 003c 'c'",
        packet: { type, version: 4, bridge: true, cleanStart: true, keepAlive: 60, clientId: 'c' },
      },
    ],
  ),
  ...accepted(
    'client',
    [5],
    [
      {
        title: 'CONNECT of 5.0 without properties [MQTT-2.2.2-1]',
        bytes: "10 * 'MQTT' 05 02 003c {} 'c'",
        packet: { type, version: 5, cleanStart: true, keepAlive: 60, clientId: 'c' },
      },
      {
        title: 'CONNECT of 5.0 with a password and no user name',
        bytes: "10 * 'MQTT' 05 40 0000 {} '' 'p'",
        packet: { type, version: 5, cleanStart: false, keepAlive: 0, clientId: '', password: utf8('p') },
      },
      {
        title:
          'CONNECT of 5.0 with every property and field [MQTT-3.1.3-10] [MQTT-3.1.3-1] [MQTT-3.1.2-9] [MQTT-3.1.2-17] [MQTT-3.1.2-19]',
        bytes: `10 * 'MQTT' 05 ee 000a
        { 11 ffffffff 21 ffff 27 00000001 22 000a 19 01 17 00 26 'a' 'b' 26 'a' 'c' 15 'SCRAM' 16 'data' }
        'client' { 18 00000005 01 01 02 0000000a 03 'text' 08 'answer' 09 'id' 26 'k' 'v' } 'w' 'gone' 'user' 'secret'`,
        packet: {
          type,
          version: 5,
          cleanStart: true,
          keepAlive: 10,
          clientId: 'client',
          will: {
            topic: 'w',
            payload: utf8('gone'),
            qos: 1,
            retain: true,
            properties: {
              willDelayInterval: 5,
              payloadFormatIndicator: 1,
              messageExpiryInterval: 10,
              contentType: 'text',
              responseTopic: 'answer',
              correlationData: utf8('id'),
              userProperties: [['k', 'v']],
            },
          },
          username: 'user',
          password: utf8('secret'),
          properties: {
            sessionExpiryInterval: 0xffffffff,
            receiveMaximum: 65535,
            maximumPacketSize: 1,
            topicAliasMaximum: 10,
            requestResponseInformation: true,
            requestProblemInformation: false,
            userProperties: [
              ['a', 'b'],
              ['a', 'c'],
            ],
            authenticationMethod: 'SCRAM',
            authenticationData: utf8('data'),
          },
        },
      },
      {
        title: 'User properties named like members of Object stay names and values [MQTT-1.5.7-1]',
        bytes: "10 * 'MQTT' 05 02 0000 { 26 '__proto__' 'x' 26 'constructor' 'y' 26 'toString' '' } 'c'",
        packet: {
          type,
          version: 5,
          cleanStart: true,
          keepAlive: 0,
          clientId: 'c',
          properties: {
            userProperties: [
              ['__proto__', 'x'],
              ['constructor', 'y'],
              ['toString', ''],
            ],
          },
        },
      },
      {
        title: 'A byte order mark in a string is kept [MQTT-1.5.4-3] [MQTT3-1.5.3-3]',
        bytes: "10 * 'MQTT' 05 02 0000 {} '\ufeffc'",
        packet: { type, version: 5, cleanStart: true, keepAlive: 0, clientId: '\ufeffc' },
      },
    ],
  ),
];
