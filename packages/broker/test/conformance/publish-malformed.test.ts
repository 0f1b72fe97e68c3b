import { after, describe, it } from 'node:test';
import { connected, ping, startBroker } from '../support/broker.js';
import { nameOf, versions } from '../support/clients.js';
import { group, packet, text, type Version } from '../support/packets.js';

const { port, stop } = await startBroker({ limits: { max_topic_alias: 10, max_user_properties: 4 } });
after(stop);

/** PUBLISH by its first byte and what follows the remaining length; in 5.0 with these properties. */
const publish = (version: Version, first: string, topic: string, rest = '', properties = ''): string =>
  packet(first, topic, rest, version === 5 ? group(properties) : '', '61');

const p = text('p');

/** 5.0: DISCONNECT with the code, 3.1.1: nothing; then the end. */
function refused(version: Version, title: string, bytes: string, code: string): void {
  it(`${title} ends the connection`, async () => {
    const client = await connected(port, version);
    client.send(bytes);
    if (version === 5) await client.expect(`e0 01 ${code}`);
    await client.closed();
  });
}

function accepted(version: Version, title: string, bytes: string, answer = ''): void {
  it(`${title} is accepted`, async () => {
    const client = await connected(port, version);
    client.send(bytes);
    await client.expect(answer);
    await ping(client);
    client.end();
  });
}

for (const version of versions) {
  describe(`A PUBLISH of ${nameOf(version)} with`, () => {
    refused(version, 'QoS 0 and DUP [MQTT-3.3.1-2]', publish(version, '38', p), '81');
    refused(version, 'QoS 0, DUP and RETAIN [MQTT-3.3.1-2]', publish(version, '39', p), '81');
    for (const first of ['36', '37', '3e', '3f']) {
      refused(version, `both QoS bits set, ${first} [MQTT-3.3.1-4]`, publish(version, first, p, '0001'), '81');
      refused(version, `both QoS bits set and no packet identifier, ${first}`, publish(version, first, p), '81');
    }
    for (const first of ['32', '34', '3a', '3c'])
      refused(version, `packet identifier 0, ${first} [MQTT-2.2.1-3]`, publish(version, first, p, '0000'), '82');

    refused(version, 'nothing in it [MQTT-3.3.2-1]', '30 00', '81');
    refused(version, 'one byte [MQTT-3.3.2-1]', '30 01 00', '81');
    refused(version, 'a topic name beyond its end [MQTT-3.3.2-1]', '30 03 0002 70', '81');
    refused(version, 'no room for a packet identifier', '32 04 0001 70 00', '81');
    for (const [what, topic] of [
      ['a surrogate', '0006 746f70 eda080'],
      ['U+0000', '0004 746f7000'],
      ['an overlong encoding', '0002 c080'],
      ['a byte that is none of UTF-8', '0001 ff'],
      ['a character cut short', '0002 e282'],
      ['U+001F', '0002 611f'],
      ['U+007F', '0002 617f'],
      ['U+009F', '0003 61c29f'],
    ] as const)
      refused(version, `${what} in the topic name [MQTT-3.3.2-1]`, publish(version, '30', topic), '81');
    for (const topic of ['+opic', '#opic', 'a/#', 'a+b', '#', '+'])
      refused(version, `the topic name ${topic} [MQTT-3.3.2-2]`, publish(version, '30', text(topic)), '81');
    refused(version, 'an empty topic name [MQTT-4.7.3-1]', publish(version, '30', '0000'), '82');

    accepted(version, 'RETAIN and an empty payload', packet('31', p, version === 5 ? '00' : ''));
    accepted(version, 'a topic name of U+2A6D4', publish(version, '30', '0005 41 f0aa9b94'));
    accepted(version, 'DUP and QoS 2', publish(version, '3c', p, '04d2'), '50 02 04d2');
    if (version === 4)
      accepted(version, 'bytes that would be an identifier, were it QoS 1 [MQTT-2.2.1-2]', '30 05 0001 70 0005');
  });
}

describe('A PUBLISH of MQTT 5.0 with the properties', () => {
  const properties = (bytes: string): string => publish(5, '30', p, '', bytes);
  const malformed: Readonly<Record<string, string>> = {
    'a payload format indicator without its value': '01',
    'a message expiry interval cut short': '02 000000',
    'a topic alias cut short': '23 00',
    'a response topic cut short': '08 0002 61',
    'correlation data cut short': '09 0002 61',
    'a content type cut short': '03 0001',
    'a user property without its value': '26 0001 61',
    'a subscription identifier of more bytes than it needs': '0b 80 00',
    'an identifier that the standard does not define': '7f 01',
    'a response topic that is no UTF-8 [MQTT-3.3.2-13]': '08 0002 c080',
    'a content type that is no UTF-8 [MQTT-3.3.2-19]': '03 0001 ff',
    'a user property whose name is no UTF-8 [MQTT-1.5.7-1]': '26 0001 ff 0001 61',
    'a user property whose value is no UTF-8 [MQTT-1.5.7-1]': '26 0001 61 0001 ff',
  };
  for (const [title, bytes] of Object.entries(malformed)) refused(5, title, properties(bytes), '81');
  for (const id of ['11 00000001', '12 0001 61', '13 0001', '15 0001 61', '16 0001 61', '17 01', '18 00000001'])
    refused(5, `${id}, which is not one of PUBLISH`, properties(id), '81');
  for (const id of ['19 01', '1a 0001 61', '1c 0001 61', '1f 0001 61', '21 0001', '22 0001', '24 01', '25 01'])
    refused(5, `${id}, which is not one of PUBLISH`, properties(id), '81');
  for (const id of ['27 00000001', '28 01', '29 01', '2a 01'])
    refused(5, `${id}, which is not one of PUBLISH`, properties(id), '81');
  refused(5, 'no length', '30 03 0001 70', '81');
  refused(5, 'a length beyond the packet', '30 06 0001 70 03 01 01', '81');
  refused(5, 'a length in more bytes than it needs [MQTT-1.5.5-1]', '30 06 0001 70 8000 61', '81');

  const protocolErrors: Readonly<Record<string, string>> = {
    'a payload format indicator of 2': '01 02',
    'two payload format indicators': '01 00 01 00',
    'two message expiry intervals': '02 00000001 02 00000001',
    'two topic aliases that differ': '23 0001 23 0002',
    'two topic aliases that are equal': '23 0001 23 0001',
    'two response topics': '08 0001 70 08 0001 70',
    'an empty response topic': '08 0000',
    'the response topic # [MQTT-3.3.2-14]': '08 0001 23',
    'the response topic a/+ [MQTT-3.3.2-14]': '08 0003 612f2b',
    'correlation data twice': '09 0001 70 09 0001 70',
    'two content types': '03 0001 70 03 0001 70',
    'a subscription identifier [MQTT-3.3.4-6]': '0b 01',
    'a subscription identifier of 0 [MQTT-3.3.4-6]': '0b 00',
  };
  for (const [title, bytes] of Object.entries(protocolErrors)) refused(5, title, properties(bytes), '82');

  refused(5, 'topic alias 0 [MQTT-3.3.2-8]', properties('23 0000'), '94');
  refused(5, 'a topic alias above the maximum [MQTT-3.3.2-9] [MQTT-3.2.2-17]', properties('23 000b'), '94');
  refused(5, 'an alias that was never set, and no topic name', publish(5, '30', '0000', '', '23 0003'), '82');
  refused(5, 'more user properties than the server takes', properties('26 0000 0000'.repeat(5)), '97');

  const lawful: Readonly<Record<string, string>> = {
    'a message expiry interval of 0': '02 00000000',
    'the topic alias at the maximum': '23 000a',
    'empty correlation data': '09 0000',
    'an empty content type': '03 0000',
    'user properties that are empty and repeat': '26 0000 0000 26 0000 0000',
  };
  for (const [title, bytes] of Object.entries(lawful)) accepted(5, title, properties(bytes));
});
