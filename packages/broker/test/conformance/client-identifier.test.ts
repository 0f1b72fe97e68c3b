import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { type ConnectFields, connectPacket, type Version } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

async function refused(at: number, version: Version, fields: ConnectFields, answer: string): Promise<void> {
  const client = await RawClient.connect(at);
  client.send(connectPacket(version, fields));
  await client.expect(answer);
  await client.closed();
}

/** The client ID that the server assigned. */
async function assigned(fields: ConnectFields = {}): Promise<{ client: RawClient; clientId: string }> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(5, { clientId: '', ...fields }));
  const [, clientId = ''] = /^20..0000..22002012001d(.{58})27/.exec(await readPacket(client)) ?? [];
  return { client, clientId: Buffer.from(clientId, 'hex').toString() };
}

describe('A client identifier', () => {
  const everyLetter = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  const accepted: Record<string, string[]> = {
    'of one character': ['c'],
    'of 23 letters and digits': everyLetter.match(/.{1,23}/g) ?? [],
    'of more': ['c'.repeat(24), 'c'.repeat(128), 'c'.repeat(65_535)],
    'of any printable characters': [' !"#$%&\'()*+,-./:;<=>?@[\\]^_{|}~`', 'clean retained', 'héé/日本', '\u{1f980}'],
    'named like a member of Object': ['__proto__', 'constructor', 'toString'],
  };
  for (const version of [3, 4, 5] as const) {
    for (const [title, clientIds] of Object.entries(accepted)) {
      it(`${title} is accepted in version ${version} [MQTT-3.1.3-5]`, async () => {
        for (const clientId of clientIds) {
          const client = await connected(port, version, { clientId });
          await ping(client);
          client.end();
        }
      });
    }
  }
});

describe('An empty client identifier', () => {
  it('in 5.0 gets one that is new, is told, and names the session [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16]', async () => {
    for (const cleanStart of [true, false]) {
      const { client, clientId } = await assigned({ cleanStart, properties: '11 0000003c' });
      assert.match(clientId, /^auto-/);
      client.send('e000');
      await client.closed();
      const again = await RawClient.connect(port);
      again.send(connectPacket(5, { clientId, cleanStart: false, properties: '11 0000003c' }));
      assert.match(await readPacket(again), /^200e0100/);
      again.end();
    }
  });

  it('gets another one each time, and all live side by side [MQTT-3.1.3-6] [MQTT-3.2.2-16]', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => assigned()));
    assert.equal(new Set(all.map(({ clientId }) => clientId)).size, 100);
    for (const { client } of all) {
      await ping(client);
      client.end();
    }
  });

  it('in 3.1.1 gets one with a clean session, and is not told [MQTT3-3.1.3-6] [MQTT3-3.1.3-7]', async () => {
    const clients = [];
    for (let count = 0; count < 2; count++) {
      const client = await RawClient.connect(port);
      client.send(connectPacket(4, { clientId: '' }));
      await client.expect('20 02 00 00');
      clients.push(client);
    }
    for (const client of clients) {
      await ping(client);
      client.end();
    }
  });

  it('in 3.1.1 is refused without a clean session [MQTT3-3.1.3-7] [MQTT3-3.1.3-8]', () =>
    refused(port, 4, { clientId: '', cleanStart: false }, '20 02 00 02'));

  it('in 3.1 is refused', () => refused(port, 3, { clientId: '' }, '20 02 00 02'));
});

describe('A client identifier that the server does not take', async () => {
  const broker = await startBroker({ authentication: { allow_anonymous: true, clientid_prefixes: ['site-'] } });
  after(broker.stop);

  it('is refused with the reason of its version, and the end [MQTT-3.1.3-8] [MQTT3-3.1.3-9]', async () => {
    await refused(broker.port, 5, { clientId: 'other' }, '20 03 00 85 00');
    await refused(broker.port, 4, { clientId: 'other' }, '20 02 00 02');
    await refused(broker.port, 3, { clientId: 'other' }, '20 02 00 02');
    const client = await connected(broker.port, 4, { clientId: 'site-1' });
    client.end();
  });

  it('is that of a policy which forbids it [MQTT-3.1.3-8] [MQTT-3.1.4-2] [MQTT3-3.1.3-9]', async () => {
    const strict = await startBroker(
      { authorization: { default: 'deny' } },
      {
        files: { 'policy.yaml': 'rules:\n  - allow: connect\n    clientids: ["mine"]\n' },
      },
    );
    after(strict.stop);
    await refused(strict.port, 5, { clientId: 'other' }, '20 03 00 85 00');
    await refused(strict.port, 4, { clientId: 'other' }, '20 02 00 02');
    const client = await connected(strict.port, 5, { clientId: 'mine' });
    client.end();
  });
});
