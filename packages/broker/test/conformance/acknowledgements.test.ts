import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { nameOf, puback, pubcomp, pubrec, pubrel, stored, subscriber, versions } from '../support/clients.js';
import { group, packet, publish, text, type Version } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `acknowledged/${++topics}`;
const types = { PUBACK: '40', PUBREC: '50', PUBREL: '62', PUBCOMP: '70' } as const;
type Name = keyof typeof types;
const names = Object.keys(types) as Name[];

async function ends(client: RawClient, version: Version, code: string): Promise<void> {
  if (version === 5) await client.expect(`e0 01 ${code}`);
  await client.closed();
}

function refused(version: Version, title: string, bytes: string, code: string): void {
  it(`${title} ends the connection`, async () => {
    const client = await connected(port, version);
    client.send(bytes);
    await ends(client, version, code);
  });
}

function answered(version: Version, title: string, bytes: string, answer: string): void {
  it(title, async () => {
    const client = await connected(port, version);
    client.send(bytes);
    await client.expect(answer);
    await ping(client);
    client.end();
  });
}

/** A client with one message of that QoS under way to it, by packet identifier 1. */
async function receiving(version: Version, qos: 1 | 2): Promise<RawClient> {
  const topic = freshTopic();
  const [client, publisher] = [await subscriber(port, version, { [topic]: qos }), await connected(port, version)];
  publisher.send(publish(version, topic, 'x', { qos }) + (qos === 2 ? pubrel(1) : ''));
  assert.equal(await readPacket(client), publish(version, topic, 'x', { qos }));
  publisher.end();
  return client;
}

for (const version of versions) {
  describe(`In ${nameOf(version)}`, () => {
    for (const name of names) {
      const type = types[name];
      refused(version, `A ${name} of no bytes`, `${type} 00`, '81');
      refused(version, `A ${name} of one byte`, `${type} 01 00`, '81');
      refused(version, `A ${name} with packet identifier 0`, `${type} 02 0000`, '82');
      const flags =
        name === 'PUBREL' ? ['60', '63', '64', '66', '6a'] : ['1', '2', '4', '8'].map((bit) => type[0] + bit);
      for (const first of flags)
        refused(version, `A ${name} that begins with ${first} [MQTT-3.6.1-1] [MQTT-2.1.3-1]`, `${first} 02 0001`, '81');
    }

    for (const name of ['PUBACK', 'PUBCOMP'] as const)
      answered(version, `A ${name} that nobody waits for is ignored`, `${types[name]} 02 04d2`, '');
    const none = version === 5 ? '03 04d2 92' : '02 04d2';
    answered(version, 'A PUBREC that nobody waits for is answered [MQTT-3.6.2-1]', '50 02 04d2', `62 ${none}`);
    answered(version, 'A PUBREL that nobody waits for is answered [MQTT-3.7.2-1]', '62 02 04d2', `70 ${none}`);

    for (const [qos, wrong] of [
      [1, 'PUBREC'],
      [1, 'PUBCOMP'],
      [2, 'PUBACK'],
      [2, 'PUBCOMP'],
    ] as const)
      it(`A ${wrong} for a message of QoS ${qos} ends the connection`, async () => {
        const client = await receiving(version, qos);
        client.send(`${types[wrong]} 02 0001`);
        await ends(client, version, '82');
      });

    it('A PUBACK in place of PUBCOMP ends the connection', async () => {
      const client = await receiving(version, 2);
      client.send(pubrec(1));
      assert.equal(await readPacket(client), pubrel(1));
      client.send(puback(1));
      await ends(client, version, '82');
    });

    it('A PUBREC that comes again is answered with PUBREL again [MQTT-4.3.3-4]', async () => {
      const client = await receiving(version, 2);
      for (const _ of [1, 2]) {
        client.send(pubrec(1));
        assert.equal(await readPacket(client), pubrel(1));
      }
      client.send(pubcomp(1));
      await ping(client);
      client.end();
    });
  });
}

describe('In MQTT 3.1', () => {
  it('a PUBREL with DUP is a PUBREL', async () => {
    const client = await connected(port, 3);
    client.send(`${publish(3, freshTopic(), 'x', { qos: 2 })} 6a 02 0001`);
    assert.equal(await readPacket(client), pubrec(1));
    assert.equal(await readPacket(client), pubcomp(1));
    await ping(client);
    client.end();
  });
});

describe('In MQTT 3.1.1 an acknowledgement', () => {
  for (const name of names) refused(4, `of three bytes, a ${name},`, `${types[name]} 03 0001 00`, '');
});

describe('In MQTT 5.0 an acknowledgement', () => {
  const clauses: Record<Name, string> = {
    PUBACK: '[MQTT-3.4.2-1]',
    PUBREC: '[MQTT-3.5.2-1]',
    PUBREL: '[MQTT-3.6.2-1]',
    PUBCOMP: '[MQTT-3.7.2-1]',
  };
  for (const name of names) {
    const type = types[name];
    const clause = clauses[name];
    const released = name === 'PUBREL' || name === 'PUBCOMP';
    const answer = name === 'PUBREC' ? '62 03 0001 92' : name === 'PUBREL' ? '70 03 0001 92' : '';
    for (const code of released ? ['00', '92'] : ['00', '10'])
      answered(5, `${name} with ${code} is taken ${clause}`, `${type} 03 0001 ${code}`, answer);
    if (!released)
      for (const code of ['80', '83', '87', '90', '91', '97', '99'])
        answered(5, `${name} with ${code} is taken, and ends the exchange ${clause}`, `${type} 03 0001 ${code}`, '');
    for (const code of released ? ['ff', '20', '80', '10'] : ['ff', '01', '92', '82'])
      refused(5, `${name} with ${code} ${clause}`, `${type} 03 0001 ${code}`, '82');

    const properties = (bytes: string): string => packet(type, '0001', '00', group(bytes));
    answered(5, `${name} with a property length of 0 is taken`, properties(''), answer);
    answered(5, `${name} with a reason string is taken`, properties(`1f${text('why')}`), answer);
    answered(5, `${name} with an empty reason string is taken`, properties('1f 0000'), answer);
    answered(5, `${name} with user properties is taken`, properties('26 0000 0000 26 0001 61 0001 62'), answer);
    refused(5, `${name} with two reason strings`, properties('1f 0000 1f 0000'), '82');
    refused(5, `${name} with a reason string cut short`, properties('1f 0002 61'), '81');
    refused(5, `${name} with a property of another packet`, properties('01 00'), '81');
    refused(5, `${name} with a byte behind its properties`, `${type} 05 0001 00 00 00`, '81');
    refused(5, `${name} with a property length beyond its end`, `${type} 04 0001 00 01`, '81');
  }

  for (const bytes of ['40 02 0001', '40 03 0001 00', '40 03 0001 10', '40 04 0001 00 00', '40 07 0001 00 03 1f 0000'])
    it(`${bytes} ends a message of QoS 1: it is not sent again [MQTT-4.3.2-3]`, async () => {
      const topic = freshTopic();
      const client = await subscriber(port, 5, { [topic]: 1 }, stored(5, topic));
      client.send(publish(5, topic, 'x', { qos: 1, packetId: 9 }));
      assert.equal(await readPacket(client), publish(5, topic, 'x', { qos: 1 }));
      assert.equal(await readPacket(client), puback(9));
      client.send(bytes);
      await ping(client);
      const resumed = await connected(port, 5, stored(5, topic));
      await ping(resumed);
      resumed.end();
    });
});

describe('What the server acknowledges with', () => {
  it('is 0x10 in PUBACK when nobody is subscribed, retained or not [MQTT-3.4.2-1]', async () => {
    const client = await connected(port, 5);
    for (const retain of [false, true]) {
      client.send(publish(5, freshTopic(), 'x', { qos: 1, retain, packetId: 0x1234 }));
      await client.expect('40 03 1234 10');
    }
    client.end();
  });

  it('is 0x00 in PUBACK when the only subscription is the publisher’s own, without its messages', async () => {
    const topic = freshTopic();
    const client = await subscriber(port, 5, { [topic]: 0x05 });
    client.send(publish(5, topic, 'x', { qos: 1, packetId: 0x1234 }));
    assert.equal(await readPacket(client), puback(0x1234));
    await ping(client);
    client.end();
  });

  it('bears the identifier of the PUBLISH, in four bytes [MQTT-2.2.1-5] [MQTT-3.3.4-1] [MQTT-3.5.2-1]', async () => {
    for (const version of versions) {
      const topic = freshTopic();
      const [client, publisher] = [await subscriber(port, version, { [topic]: 0 }), await connected(port, version)];
      publisher.send(publish(version, topic, '0'));
      await ping(publisher);
      publisher.send(publish(version, topic, '1', { qos: 1, packetId: 0x1234 }));
      await publisher.expect('40 02 1234');
      publisher.send(publish(version, topic, '2', { qos: 2, packetId: 0xffff }));
      await publisher.expect('50 02 ffff');
      publisher.send('62 02 ffff');
      await publisher.expect('70 02 ffff');
      for (const payload of ['0', '1', '2']) assert.equal(await readPacket(client), publish(version, topic, payload));
      client.end();
      publisher.end();
    }
  });
});
