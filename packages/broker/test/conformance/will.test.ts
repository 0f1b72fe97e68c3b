import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { type ConnectFields, connectPacket, publish, subscribe, text, type Version, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

let topics = 0;
const freshTopic = (): string => `will/${++topics}`;

/** A client that sees what is published to `filter`. */
async function watching(version: Version, filter: string, options = 0): Promise<RawClient> {
  const client = await connected(port, version);
  client.send(subscribe(version, 1, { [filter]: options }));
  assert.match(await readPacket(client), /^90/);
  return client;
}

/** Shows that nothing else was published to `topic` before now. */
async function nothingElse(watcher: RawClient, version: Version, topic: string): Promise<void> {
  const publisher = await connected(port, version);
  publisher.send(publish(version, topic, 'barrier'));
  await watcher.expect(publish(version, topic, 'barrier'));
  publisher.end();
}

const userProperty = `26 ${text('a')} ${text('b')}`;

for (const version of [4, 5] as const) {
  const name = version === 5 ? 'MQTT 5.0' : 'MQTT 3.1.1';
  const violation = version === 5 ? { bytes: '82 00', answer: 'e0 01 81' } : { bytes: '82 00', answer: '' };

  describe(`A will in ${name} is published`, () => {
    const endings: Record<string, (client: RawClient) => Promise<void> | void> = {
      'when the connection is reset': (client) => {
        client.socket.resetAndDestroy();
      },
      'when the connection ends without DISCONNECT': async (client) => {
        client.socket.end();
        await client.closed();
      },
      'when a malformed packet ends the connection': async (client) => {
        client.send(violation.bytes);
        if (violation.answer !== '') await client.expect(violation.answer);
        await client.closed();
      },
      'when a second CONNECT ends the connection [MQTT-3.1.0-2] [MQTT3-3.1.0-2]': async (client) => {
        client.send('10 00');
        if (version === 5) await client.expect('e0 01 82');
        await client.closed();
      },
      'when DISCONNECT is malformed [MQTT-3.14.1-1] [MQTT3-3.14.1-1]': async (client) => {
        client.send('e1 00');
        if (version === 5) await client.expect('e0 01 81');
        await client.closed();
      },
    };
    for (const [title, finish] of Object.entries(endings)) {
      it(`${title} [MQTT-3.1.2-7] [MQTT-3.1.2-8] [MQTT3-3.1.2-8]`, async () => {
        const topic = freshTopic();
        const watcher = await watching(version, topic);
        await finish(await connected(port, version, { will: will(version, topic, 'gone') }));
        await watcher.expect(publish(version, topic, 'gone'));
        watcher.end();
      });
    }

    for (const first of [true, false]) {
      for (const second of [true, false]) {
        it(`when another connection takes over, clean starts being ${first} and ${second} [MQTT-3.1.2-8] [MQTT-3.1.4-3] [MQTT3-3.1.2-8]`, async () => {
          const topic = freshTopic();
          const watcher = await watching(version, topic);
          const properties = version === 5 ? '11 0000003c' : '';
          const fields: ConnectFields = { clientId: `${topic}/client`, properties };
          const old = await connected(port, version, {
            ...fields,
            cleanStart: first,
            will: will(version, topic, 'gone'),
          });
          const next = await connected(port, version, { ...fields, cleanStart: second });
          await watcher.expect(publish(version, topic, 'gone'));
          await ping(next);
          next.end();
          old.end();
          watcher.end();
        });
      }
    }

    it('once: it is removed then [MQTT-3.1.2-10] [MQTT3-3.1.2-10]', async () => {
      const topic = freshTopic();
      const watcher = await watching(version, topic);
      const properties = version === 5 ? '11 0000003c' : '';
      const fields = { clientId: `${topic}/client`, cleanStart: false, properties };
      (await connected(port, version, { ...fields, will: will(version, topic, 'gone') })).socket.resetAndDestroy();
      await watcher.expect(publish(version, topic, 'gone'));
      const next = await connected(port, version, fields);
      next.socket.end();
      await next.closed();
      await nothingElse(watcher, version, topic);
      watcher.end();
    });

    for (const qos of [0, 1, 2] as const) {
      it(`with its QoS ${qos}, or the lower one of the subscription [MQTT-3.1.2-12]`, async () => {
        const topic = freshTopic();
        const high = await watching(version, topic, 2);
        const low = await watching(version, topic, 0);
        (await connected(port, version, { will: will(version, topic, 'gone', { qos }) })).socket.resetAndDestroy();
        await high.expect(publish(version, topic, 'gone', { qos }));
        await low.expect(publish(version, topic, 'gone'));
        high.end();
        low.end();
      });
    }

    it('and not retained, unless it is to be [MQTT-3.1.2-14] [MQTT-3.1.2-15]', async () => {
      for (const retain of [false, true]) {
        const topic = freshTopic();
        const asPublished = await watching(version, topic, version === 5 ? 8 : 0);
        const fields = { will: will(version, topic, 'gone', { retain }) };
        (await connected(port, version, fields)).socket.resetAndDestroy();
        await asPublished.expect(publish(version, topic, 'gone', { retain: retain && version === 5 }));
        const later = await watching(version, topic);
        if (retain) await later.expect(publish(version, topic, 'gone', { retain }));
        await ping(later);
        asPublished.end();
        later.end();
      }
    });

    it('and removes what is retained if it is empty and to be retained [MQTT-3.1.2-15]', async () => {
      const topic = freshTopic();
      const publisher = await connected(port, version);
      publisher.send(publish(version, topic, 'kept', { retain: true }));
      await ping(publisher);
      publisher.end();
      const watcher = await watching(version, topic);
      await watcher.expect(publish(version, topic, 'kept', { retain: true }));
      const fields = { will: will(version, topic, '', { retain: true }) };
      (await connected(port, version, fields)).socket.resetAndDestroy();
      await watcher.expect(publish(version, topic, ''));
      const later = await watching(version, topic);
      await ping(later);
      watcher.end();
      later.end();
    });
  });

  describe(`No will is published in ${name}`, () => {
    const goodbyes = version === 4 ? ['e000'] : ['e000', 'e0 01 00', 'e0 02 00 00', `e0 09 00 07 ${userProperty}`];
    for (const goodbye of goodbyes) {
      it(`after ${goodbye}, nor when its client comes again without one [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.14.4-3] [MQTT3-3.14.4-3] [MQTT3-3.1.2-10]`, async () => {
        const topic = freshTopic();
        const watcher = await watching(version, topic);
        const properties = version === 5 ? '11 0000003c' : '';
        const fields = { clientId: `${topic}/client`, cleanStart: false, properties };
        const polite = await connected(port, version, { ...fields, will: will(version, topic, 'gone') });
        polite.send(goodbye);
        await polite.closed();
        const next = await connected(port, version, fields);
        next.socket.end();
        await next.closed();
        await nothingElse(watcher, version, topic);
        watcher.end();
      });
    }

    it('where CONNECT had none [MQTT3-3.1.2-12]', async () => {
      const other = await startBroker();
      after(other.stop);
      const watcher = await connected(other.port, version);
      watcher.send(subscribe(version, 1, { '#': 0 }));
      assert.match(await readPacket(watcher), /^90/);
      const client = await connected(other.port, version);
      client.socket.end();
      await client.closed();
      await ping(watcher);
      watcher.end();
    });
  });
}

describe('A will in MQTT 5.0', () => {
  const codes = ['04', '80', '81', '82', '83', '90', '93', '94', '95', '96', '97', '98', '99'];
  for (const code of codes) {
    it(`is published after DISCONNECT 0x${code} [MQTT-3.1.2-8]`, async () => {
      const topic = freshTopic();
      const watcher = await watching(5, topic);
      const client = await connected(port, 5, { will: will(5, topic, 'gone') });
      client.send(`e0 01 ${code}`);
      await client.closed();
      await watcher.expect(publish(5, topic, 'gone'));
      watcher.end();
    });
  }

  it('is published with its properties, in their order and without the delay [MQTT-3.1.3-10]', async () => {
    const topic = freshTopic();
    const watcher = await watching(5, topic);
    const pair = (key: string, value: string): string => `26 ${text(key)} ${text(value)}`;
    const first = `26 0001 61 0001 31 01 01 ${pair('b', '2')} 03 ${text('type')}`;
    const last = `${pair('a', '3')} 08 ${text('answer')} 09 ${text('id')} 02 0000003c`;
    const fields = { will: will(5, topic, 'gone', { properties: `${first} 18 00000000 ${last}` }) };
    (await connected(port, 5, fields)).socket.resetAndDestroy();
    const got = await readPacket(watcher);
    for (const part of ['0101', `03${text('type')}`, `08${text('answer')}`, `09${text('id')}`, '020000003c'])
      assert.ok(got.includes(part), `${part} in ${got}`);
    const pairs = [...got.matchAll(/260001(..)0001(..)/g)].map(([, key, value]) => `${key}${value}`);
    assert.deepEqual(pairs, ['6131', '6232', '6133']);
    assert.doesNotMatch(got, /1800000000/);
    watcher.end();
  });

  it('has every field of CONNECT where it belongs [MQTT-3.1.3-1]', async () => {
    const topic = freshTopic();
    const watcher = await watching(5, topic);
    const fields = { clientId: `${topic}/client`, username: 'user', password: 'secret' };
    const client = await connected(port, 5, { ...fields, will: will(5, topic, 'gone', { qos: 1 }) });
    client.socket.resetAndDestroy();
    await watcher.expect(publish(5, topic, 'gone'));
    watcher.end();
  });
});

describe('A will whose topic is beyond the limits', async () => {
  const narrow = await startBroker({ limits: { max_topic_levels: 8, max_topic_length: 256 } });
  after(narrow.stop);

  for (const [what, topic] of [
    ['too deep', '/a'.repeat(8)],
    ['too long', 'x'.repeat(257)],
  ] as const)
    it(`is refused at CONNECT, not when it is too late: ${what} [MQTT-3.1.4-2]`, async () => {
      for (const [version, answer] of [
        [4, '20020005'],
        [5, '2003009000'],
      ] as const) {
        const client = await RawClient.connect(narrow.port);
        client.send(connectPacket(version, { will: will(version, topic, 'x') }));
        assert.equal(await readPacket(client), answer);
        await client.closed();
      }
      (await connected(narrow.port, 5, { will: will(5, topic.slice(1), 'x') })).end();
    });
});
