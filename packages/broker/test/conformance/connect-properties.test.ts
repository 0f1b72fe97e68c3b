import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { connectPacket, group, hex, publish, subscribe, text, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

const connack5 = (code: string): string => `20 03 00 ${code} 00`;
const malformed = connack5('81');
const protocolError = connack5('82');

/** CONNECT with these properties gets this answer and the end. */
function refused(title: string, bytes: string, answer: string): void {
  it(title, async () => {
    const client = await RawClient.connect(port);
    client.send(bytes);
    await client.expect(answer);
    await client.closed();
  });
}

function accepted(title: string, bytes: string): void {
  it(title, async () => {
    const client = await RawClient.connect(port);
    client.send(bytes);
    await readPacket(client);
    await ping(client);
    client.end();
  });
}

const inConnect = (properties: string): string => connectPacket(5, { properties });
const inWill = (properties: string): string => connectPacket(5, { will: will(5, 'w', 'm', { properties }) });

/** By what they are: the identifier with a value. */
const ofConnect = ['11 0000003c', '21 0005', '27 00001000', '22 0005', '19 01', '17 01', '15 0001 6d', '16 0001 64'];
const ofWill = ['18 00000001', '01 01', '02 00000001', '03 0001 74', '08 0001 72', '09 0001 64'];
const ofOthers = [
  '24 01',
  '25 01',
  '28 01',
  '29 01',
  '2a 01',
  '13 0001',
  '23 0001',
  '12 0001 61',
  '1a 0001 61',
  '0b 01',
  '1c 0001 61',
  '1f 0001 61',
];
const unknown = [
  '00',
  '04',
  '05',
  '06',
  '07',
  '0a',
  '0c',
  '0d',
  '0e',
  '0f',
  '10',
  '14',
  '1b',
  '1d',
  '1e',
  '20',
  '7f',
  '80 00',
  '80 01',
  'ff 7f',
  '80 80 01',
  'ff ff ff 7f',
  '80 80 80 80 01',
];

const identifier = (property: string): string => property.slice(0, 2);

for (const [place, put, own, foreign] of [
  ['CONNECT', inConnect, ofConnect, [...ofOthers, ...ofWill]],
  ['the will', inWill, ofWill, [...ofOthers, ...ofConnect]],
] as const) {
  describe(`A property in ${place}`, () => {
    for (const property of own) {
      refused(
        `${identifier(property)} without its value is malformed [MQTT-3.1.4-1]`,
        put(identifier(property)),
        malformed,
      );
      if (property.startsWith('15') || property.startsWith('16')) continue;
      refused(`${identifier(property)} given twice is a protocol error`, put(property + property), protocolError);
      accepted(`${identifier(property)} is accepted`, put(property));
    }
    for (const property of foreign)
      refused(`${identifier(property)}, which belongs elsewhere, is malformed`, put(property), malformed);
    for (const property of unknown)
      refused(`${property}, which nobody knows, is malformed [MQTT-1.5.5-1]`, put(`${property} 0000`), malformed);
    accepted('26 is accepted empty, and twice', put('26 0000 0000 26 0001 61 0000 26 0001 61 0000'));
    refused('26 with a name that is not UTF-8 is malformed [MQTT-1.5.7-1]', put('26 0001 ff 0001 61'), malformed);
    refused('26 with a value that is not UTF-8 is malformed [MQTT-1.5.7-1]', put('26 0001 61 0001 ff'), malformed);
    refused('26 with U+0000 in its value is malformed [MQTT-1.5.7-1]', put('26 0001 61 0001 00'), malformed);
    refused('26 without its value is malformed', put('26 0001 61'), malformed);
  });
}

describe('A value out of range in CONNECT is a protocol error', () => {
  for (const [title, properties] of Object.entries({
    'Receive Maximum 0 [MQTT-4.9.0-1]': '21 0000',
    'Maximum Packet Size 0': '27 00000000',
    'Request Response Information 2 [MQTT-3.1.2-28]': '19 02',
    'Request Problem Information 2 [MQTT-3.1.2-29]': '17 02',
    'Authentication Data without method': '16 0001 64',
    'Authentication Method twice': '15 0001 6d 15 0001 6d',
  }))
    refused(title, inConnect(properties), protocolError);
  refused('Payload Format Indicator 2 in the will', inWill('01 02'), protocolError);
  refused('An empty Response Topic in the will', inWill('08 0000'), protocolError);
  refused('A Response Topic with a wildcard in the will', inWill('08 0001 23'), protocolError);
  accepted('but the largest Maximum Packet Size is lawful', inConnect('27 ffffffff'));
  accepted('but Topic Alias Maximum 0 is lawful', inConnect('22 0000'));
  accepted('but an empty Content Type and Correlation Data are lawful', inWill('03 0000 09 0000'));
});

describe('The length of the properties of CONNECT', () => {
  const rest = text('c');
  const withLength = (length: string): string => {
    const body = `${text('MQTT')} 05 02 003c ${length} ${rest}`.replaceAll(' ', '');
    return `10 ${hex(body.length / 2, 1)} ${body}`;
  };
  refused('in two bytes where one would do is malformed [MQTT-1.5.5-1]', withLength('80 00'), malformed);
  refused('of five bytes is malformed [MQTT-1.5.5-1]', withLength('80 80 80 80 01'), malformed);
  refused('beyond the packet is malformed [MQTT-3.1.4-1]', withLength('7f'), malformed);
  refused('that is missing is malformed [MQTT-2.2.2-1]', '10 0a 0004 4d515454 05 02 003c', malformed);
});

describe('An authentication method that is not known', () => {
  refused('is answered with 0x8C [MQTT-4.12.0-1]', inConnect('15 0004 6e6f7065 16 0001 64'), connack5('8c'));
});

describe('What CONNECT asks for is kept to', () => {
  it('Response Information comes only where it was asked for and exists [MQTT-3.1.2-28]', async () => {
    const other = await startBroker({ response_information: 'answers/' });
    after(other.stop);
    for (const [properties, end] of [
      ['', '22 0020 27 00100000 21 03e8'],
      ['19 00', '22 0020 27 00100000 21 03e8'],
      ['19 01', `22 0020 1a ${text('answers/')} 27 00100000 21 03e8`],
    ] as const) {
      const client = await RawClient.connect(other.port);
      client.send(connectPacket(5, { properties }));
      const body = `00 00 ${group(end)}`.replaceAll(' ', '');
      await client.expect(`20 ${hex(body.length / 2, 1)} ${body}`);
      client.end();
    }
  });

  it('Request Problem Information 0 keeps reason strings out of every answer [MQTT-3.1.2-29]', async () => {
    const other = await startBroker(
      { reason_strings: true, authorization: { default: 'deny' } },
      { files: { 'policy.yaml': 'rules:\n  - allow: connect\n    clientids: ["*"]\n' } },
    );
    after(other.stop);
    for (const [properties, hasReason] of [
      ['17 00', false],
      ['17 01', true],
      ['', true],
    ] as const) {
      const client = await connected(other.port, 5, { properties });
      client.send('32 07 0001 78 0001 00 61');
      const answer = await readPacket(client);
      assert.equal(answer.includes(Buffer.from('not authorized').toString('hex')), hasReason, answer);
      client.end();
    }
  });

  it('No packet is larger than its Maximum Packet Size, and the larger one takes no quota [MQTT-3.1.2-24] [MQTT-3.1.2-25]', async () => {
    for (const qos of [0, 1] as const) {
      const topic = `size/${qos}`;
      const client = await connected(port, 5, { properties: '27 00000014 21 0001' });
      client.send(subscribe(5, 1, { [topic]: qos }));
      await client.expect(`90 04 0001 00 0${qos}`);
      const publisher = await connected(port, 4);
      for (const payload of ['fourteen bytes', 'few']) publisher.send(publish(4, topic, payload, { qos, packetId: 7 }));
      assert.match(await readPacket(client), /00666577$/);
      await ping(client);
      client.end();
      publisher.end();
    }
  });
});
