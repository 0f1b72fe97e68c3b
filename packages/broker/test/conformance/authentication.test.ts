import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { AuthenticationMethod } from '../../dist/identity/enhanced.js';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { type ConnectFields, connectPacket, publish, subscribe, text, will } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';

const passwords = await passwordFile({ alice: 'wonderland', bob: 'builder' });
const { port, stop } = await startBroker({ authentication: {} }, { files: { passwords } });
after(stop);

const alice = { username: 'alice', password: 'wonderland' };

const watcher = await connected(port, 5, alice);
after(() => watcher.end());
watcher.send(subscribe(5, 1, { '#': 0 }));
await watcher.expect('90 04 0001 00 00');

const refusals: Record<string, ConnectFields> = {
  'a wrong password': { username: 'alice', password: 'looking-glass' },
  'no password': { username: 'alice' },
  'an empty password': { username: 'alice', password: '' },
  'an unknown user': { username: 'mallory', password: 'wonderland' },
  'no user name': {},
};

for (const [version, answer] of [
  [3, '20 02 00 05'],
  [4, '20 02 00 05'],
  [5, '20 03 00 86 00'],
] as const) {
  describe(`A client of version ${version} with`, () => {
    for (const [title, fields] of Object.entries(refusals)) {
      it(`${title} is refused, and told so before the end [MQTT-3.1.4-2] [MQTT-3.2.2-7] [MQTT3-3.2.2-5]`, async () => {
        const client = await RawClient.connect(port);
        client.send(connectPacket(version, fields));
        await client.expect(answer);
        await client.closed();
      });
    }

    it('the right one is accepted, whatever comes next [MQTT-3.1.3-1] [MQTT3-3.1.3-1]', async () => {
      const client = await connected(port, version, { ...alice, will: will(version, 'w', 'm') });
      await ping(client);
      client.send('e000');
      await client.closed();
    });

    it('a refused CONNECT has nothing of it published: neither what it sent with it nor its will [MQTT-3.1.4-6] [MQTT3-3.1.4-5] [MQTT3-3.1.2-8]', async () => {
      const client = await RawClient.connect(port);
      const fields = { username: 'alice', password: 'wrong', will: will(version, 'no/will', 'x') };
      client.send(
        `${connectPacket(version, fields)} ${publish(version, 'no/message', 'x')} ${subscribe(version, 1, { a: 0 })} c000`,
      );
      await client.expect(answer);
      await client.closed();
      await ping(watcher);
    });
  });
}

describe('A session whose client comes back with a wrong password', () => {
  for (const [version, answer] of [
    [4, '20 02 00 05'],
    [5, '20 03 00 86 00'],
  ] as const) {
    it(`is not told of in version ${version}, and stays [MQTT-3.2.2-6] [MQTT3-3.2.2-4]`, async () => {
      const clientId = `stays${version}`;
      const fields = { ...alice, clientId, cleanStart: false, ...(version === 5 ? { properties: '11 0000003c' } : {}) };
      const first = await connected(port, version, fields);
      first.send('e000');
      await first.closed();
      for (const cleanStart of [false, true]) {
        const wrong = await RawClient.connect(port);
        wrong.send(connectPacket(version, { ...fields, password: 'wrong', cleanStart }));
        await wrong.expect(answer);
        await wrong.closed();
      }
      const right = await RawClient.connect(port);
      right.send(connectPacket(version, fields));
      assert.match(await readPacket(right), /^20..01/);
      right.end();
    });
  }
});

describe('A client that authenticates step by step', async () => {
  /** Asks once, then takes the word "open". */
  const method: AuthenticationMethod = {
    name: 'sesame',
    begin: () => {
      let asked = false;
      return {
        next: (data) => {
          if (!asked) {
            asked = true;
            return { continueWith: Buffer.from('?') };
          }
          if (Buffer.from(data ?? []).toString() !== 'open') return { denied: 'exchange_failed' };
          return { principal: { username: 'ali', method: 'password' } };
        },
      };
    },
  };
  const other = await startBroker({}, { authenticationMethods: [method] });
  after(other.stop);

  async function asked(): Promise<RawClient> {
    const client = await RawClient.connect(other.port);
    client.send(connectPacket(5, { properties: `15 ${text('sesame')}` }));
    await client.expect(`f0 0f 18 0d 15 ${text('sesame')} 16 ${text('?')}`);
    return client;
  }

  it('is accepted when the last step is right', async () => {
    const client = await asked();
    client.send(`f0 12 18 10 15 ${text('sesame')} 16 ${text('open')}`);
    assert.match(await readPacket(client), /^20..0000/);
    await ping(client);
    client.end();
  });

  const tooEarly: Record<string, string> = {
    PUBLISH: publish(5, 'early', 'x'),
    'PUBLISH with QoS 1': publish(5, 'early', 'x', { qos: 1 }),
    SUBSCRIBE: subscribe(5, 1, { early: 0 }),
    PINGREQ: 'c0 00',
    CONNECT: connectPacket(5),
  };
  for (const [name, bytes] of Object.entries(tooEarly)) {
    it(`may not send ${name} before its CONNACK [MQTT-3.1.2-30]`, async () => {
      const early = await connected(other.port, 5);
      early.send(subscribe(5, 1, { early: 0 }));
      await early.expect('90 04 0001 00 00');
      const client = await asked();
      client.send(bytes);
      await client.expect('20 03 00 82 00');
      await client.closed();
      await ping(early);
      early.end();
    });
  }

  it('may give up [MQTT-3.1.2-30]', async () => {
    const client = await asked();
    client.send('e0 00');
    await client.closed();
  });
});
