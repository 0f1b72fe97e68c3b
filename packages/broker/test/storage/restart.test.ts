import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Broker } from '../../dist/index.js';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import type { Store } from '../../dist/storage/store.js';
import { connected, ping, portOf, readPacket, silent, testConfiguration } from '../support/broker.js';
import { leave, puback, pubcomp, pubrec, pubrel, stored, subscriber } from '../support/clients.js';
import { type ConnectFields, connectPacket, publish, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

/** A store that loses what is written from the moment on at which its broker is said to have died. */
class MortalStore {
  private dead = false;
  readonly view: Store;

  constructor(readonly kept: Store) {
    this.view = new Proxy<Store>(kept, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return this.dead && /^(put|delete|enqueue|release|dequeue)/.test(String(name)) ? () => {} : value.bind(target);
      },
    });
  }

  die(): void {
    this.dead = true;
  }
}

interface Life {
  readonly port: number;
  readonly broker: Broker;
  /** A new broker on the same store, after the old one was stopped in good order or died. */
  restart(how?: 'stop' | 'crash'): Promise<void>;
  end(): Promise<void>;
}

/** How each engine is found again: in memory the same store, on disk the same directory. */
const engines: Readonly<Record<string, (directory: string, before: Store | undefined) => Promise<Store>>> = {
  memory: (_directory, before) => Promise.resolve(before ?? new MemoryStore()),
  lmdb: (directory) => openLmdbStore(join(directory, 'store')),
};

async function live(engine: string): Promise<Life> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-restart-'));
  const open = engines[engine];
  assert.ok(open);
  let store = new MortalStore(await open(directory, undefined));
  const start = () => Broker.start({ configuration: testConfiguration(directory), log: silent, store: store.view });
  let broker = await start();
  return {
    get port() {
      return portOf(broker);
    },
    get broker() {
      return broker;
    },
    async restart(how = 'stop') {
      if (how === 'crash') store.die();
      await broker.stop();
      store = new MortalStore(await open(directory, store.kept));
      broker = await start();
    },
    async end() {
      await broker.stop();
      await rm(directory, { recursive: true });
    },
  };
}

/** A test with a life of its own, on each engine. */
function survives(title: string, body: (life: Life) => Promise<void>): void {
  for (const engine of Object.keys(engines)) {
    it(`${title} (${engine})`, async () => {
      const life = await live(engine);
      try {
        await body(life);
      } finally {
        await life.end();
      }
    });
  }
}

describe('A broker that was stopped, and another on its store,', { concurrency: true }, () => {
  for (const version of [4, 5] as const) {
    const kept = stored(version, 'kept');

    survives(`resumes sessions with their subscriptions in ${version} [MQTT-3.1.2-5] [MQTT3-4.1.0-1]`, async (life) => {
      await leave(await subscriber(life.port, version, { 't/#': 1, '$share/g/s': 1 }, kept));
      const { subscriptions } = life.broker.status().guard.topics;
      assert.ok(subscriptions > 0);
      await life.restart();
      assert.equal(life.broker.status().guard.topics.subscriptions, subscriptions, 'count as before');
      const client = await connected(life.port, version, kept);
      const publisher = await connected(life.port, version);
      for (const topic of ['t/x', 's']) {
        publisher.send(publish(version, topic, 'x', { qos: 1 }));
        assert.equal(await readPacket(publisher), puback(1));
      }
      assert.equal(await readPacket(client), publish(version, 't/x', 'x', { qos: 1, packetId: 1 }));
      assert.equal(await readPacket(client), publish(version, 's', 'x', { qos: 1, packetId: 2 }));
      client.send(puback(1) + puback(2));
      await leave(client);
      await life.restart();
      const again = await connected(life.port, version, kept);
      await ping(again);
    });

    survives(`delivers what waited, in order, and adds to it in ${version} [MQTT-4.6.0-5]`, async (life) => {
      await leave(await subscriber(life.port, version, { t: 2 }, kept));
      for (const payload of ['1', '2', '3']) {
        const publisher = await connected(life.port, version);
        publisher.send(publish(version, 't', payload, { qos: 1 }));
        assert.equal(await readPacket(publisher), puback(1));
        publisher.end();
        await life.restart();
      }
      const client = await connected(life.port, version, kept);
      for (const id of [1, 2, 3])
        assert.equal(await readPacket(client), publish(version, 't', `${id}`, { qos: 1, packetId: id }));
      await ping(client);
    });

    for (const how of ['stop', 'crash'] as const)
      survives(
        `sends again what was open, with DUP and its identifier, then PUBREL, then what is new, in ${version} after a ${how} [MQTT-4.4.0-1] [MQTT-3.3.1-1]`,
        async (life) => {
          const client = await subscriber(life.port, version, { t: 2 }, kept);
          const publisher = await connected(life.port, version);
          for (const [id, qos] of [
            [1, 1],
            [2, 2],
            [3, 2],
            [4, 1],
          ] as const)
            publisher.send(publish(version, 't', `${id}`, { qos, packetId: id }) + (qos === 2 ? pubrel(id) : ''));
          for (const _ of [1, 2, 3, 4]) assert.match(await readPacket(client), /^3[24]/);
          // Delivered in the order of their release: 1, 2, 3, 4.
          client.send(puback(1) + pubrec(2));
          assert.equal(await readPacket(client), pubrel(2));
          await ping(client);
          await life.restart(how);
          const resumed = await connected(life.port, version, kept);
          const received = [await readPacket(resumed), await readPacket(resumed), await readPacket(resumed)];
          const again = (id: 3 | 4) =>
            publish(version, 't', `${id}`, { qos: id === 3 ? 2 : 1, dup: true, packetId: id });
          assert.deepEqual(received, [pubrel(2), again(3), again(4)]);
          resumed.send(pubcomp(2) + pubrec(3) + puback(4));
          assert.equal(await readPacket(resumed), pubrel(3));
          const second = await connected(life.port, version);
          second.send(publish(version, 't', 'new', { qos: 1 }));
          assert.equal(await readPacket(second), puback(1));
          // What was sent just before a crash may have had the next identifiers.
          const packetId = how === 'crash' ? 5 + 32_768 : 5;
          assert.equal(await readPacket(resumed), publish(version, 't', 'new', { qos: 1, packetId }));
        },
      );

    survives(`takes a QoS 2 message once that was received before, in ${version} [MQTT-4.3.3-10]`, async (life) => {
      const publisher = await connected(life.port, version, kept);
      publisher.send(publish(version, 't', 'x', { qos: 2, packetId: 7 }));
      assert.equal(await readPacket(publisher), pubrec(7));
      await life.restart();
      const client = await subscriber(life.port, version, { t: 0 });
      const resumed = await connected(life.port, version, kept);
      resumed.send(publish(version, 't', 'x', { qos: 2, dup: true, packetId: 7 }));
      assert.equal(await readPacket(resumed), pubrec(7));
      await ping(client);
      resumed.send(pubrel(7));
      assert.equal(await readPacket(resumed), pubcomp(7));
      assert.equal(await readPacket(client), publish(version, 't', 'x'));
      await life.restart();
      const third = await connected(life.port, version, kept);
      third.send(pubrel(7));
      await third.expect(version === 5 ? '70 03 0007 92' : '70 02 0007');
    });

    survives(
      `has the retained messages, and not those that were removed, in ${version} [MQTT-3.3.1-5]`,
      async (life) => {
        const publisher = await connected(life.port, version);
        for (const topic of ['r/1', 'r/2']) publisher.send(publish(version, topic, 'x', { retain: true }));
        publisher.send(publish(version, 'r/2', '', { retain: true }));
        await ping(publisher);
        await life.restart();
        const client = await subscriber(life.port, version, { '#': 0 });
        assert.equal(await readPacket(client), publish(version, 'r/1', 'x', { retain: true }));
        await ping(client);
      },
    );
  }

  survives('publishes a delayed will to sessions that it restored too [MQTT-3.1.2-8]', async (life) => {
    await leave(await subscriber(life.port, 5, { w: 1 }, stored(5, 'watcher')));
    const fields = { ...stored(5, 'dying'), will: will(5, 'w', 'gone', { qos: 1, properties: '1800000001' }) };
    const dying = await connected(life.port, 5, fields);
    dying.end();
    await life.restart();
    const client = await connected(life.port, 5, stored(5, 'watcher'));
    assert.equal(await readPacket(client), publish(5, 'w', 'gone', { qos: 1 }));
  });

  survives(
    'publishes the will of a client that was connected when its predecessor died [MQTT-3.1.2-8]',
    async (life) => {
      await leave(await subscriber(life.port, 5, { w: 1 }, stored(5, 'watcher')));
      const dying = await connected(life.port, 5, { ...stored(5, 'dying'), will: will(5, 'w', 'gone', { qos: 1 }) });
      await ping(dying);
      await life.restart('crash');
      const client = await connected(life.port, 5, stored(5, 'watcher'));
      assert.equal(await readPacket(client), publish(5, 'w', 'gone', { qos: 1 }));
    },
  );

  survives(
    'publishes the will of a client that is back before its successor has come to it [MQTT-3.1.2-8]',
    async (life) => {
      await leave(await subscriber(life.port, 5, { w: 1 }, stored(5, 'watcher')));
      const dying = await connected(life.port, 5, { ...stored(5, 'dying'), will: will(5, 'w', 'gone', { qos: 1 }) });
      await ping(dying);
      await life.restart('crash');
      const [again, client] = [
        await connected(life.port, 5, stored(5, 'dying')),
        await connected(life.port, 5, stored(5, 'watcher')),
      ];
      assert.equal(await readPacket(client), publish(5, 'w', 'gone', { qos: 1 }));
      again.end();
    },
  );

  survives('withholds the will of a client that said goodbye [MQTT-3.1.2-10]', async (life) => {
    await leave(await subscriber(life.port, 5, { '#': 1 }, stored(5, 'watcher')));
    const delayed = (payload: string) => will(5, 'w', payload, { qos: 1, properties: '1800000001' });
    await leave(await connected(life.port, 5, { ...stored(5, 'leaving'), will: delayed('withdrawn') }));
    const dying = await connected(life.port, 5, { ...stored(5, 'dying'), will: delayed('published') });
    dying.end();
    await life.restart();
    const client = await connected(life.port, 5, stored(5, 'watcher'));
    assert.equal(await readPacket(client), publish(5, 'w', 'published', { qos: 1 }));
    await ping(client);
  });

  survives('ends sessions whose time came while there was no broker [MQTT-3.1.2-23]', async (life) => {
    const fields = { clientId: 'short', cleanStart: false, properties: '1100000001' };
    await leave(await subscriber(life.port, 5, { t: 1 }, fields));
    await delay(1_050);
    await life.restart();
    while (life.broker.status().sessions > 0) await delay(20);
    const client = await connected(life.port, 5);
    client.send(publish(5, 't', 'x', { qos: 1, packetId: 1 }));
    await client.expect('40 03 0001 10');
  });

  for (const filter of ['t', '$share/g/t'])
    survives(
      `does not resume them either, however soon a client of ${filter} is back [MQTT-3.1.2-23]`,
      async (life) => {
        const short = { clientId: 'short', cleanStart: false, properties: '1100000001' };
        const [never, long] = [stored(4, 'never'), stored(5, 'long')];
        await leave(await subscriber(life.port, 5, { [filter]: 1 }, short));
        for (const fields of [never, long]) await leave(await connected(life.port, fields === never ? 4 : 5, fields));
        const publisher = await connected(life.port, 5);
        publisher.send(publish(5, 't', 'x', { qos: 1, packetId: 1 }));
        assert.equal(await readPacket(publisher), puback(1));
        await delay(1_050);
        await life.restart();
        const isPresent = async (version: 4 | 5, fields: ConnectFields) => {
          const client = await RawClient.connect(life.port);
          client.send(connectPacket(version, fields));
          const connack = await readPacket(client);
          await ping(client);
          client.end();
          return connack.slice(4, 6) === '01';
        };
        assert.equal(await isPresent(5, short), false);
        assert.equal(await isPresent(5, long), true);
        assert.equal(await isPresent(4, never), true);
        assert.equal(await isPresent(5, short), true, 'the new one lasts as long as asked for');
      },
    );

  survives('counts down the expiry of messages by the time that it was away [MQTT-3.3.2-6]', async (life) => {
    await leave(await subscriber(life.port, 5, { t: 1 }, stored(5, 'away')));
    const publisher = await connected(life.port, 5);
    publisher.send(publish(5, 't', 'gone', { qos: 1, packetId: 1, properties: '0200000001' }));
    publisher.send(publish(5, 't', 'kept', { qos: 1, retain: true, packetId: 2, properties: '020000000a' }));
    for (const id of [1, 2]) assert.equal(await readPacket(publisher), puback(id));
    await delay(1_050);
    await life.restart();
    const client = await connected(life.port, 5, stored(5, 'away'));
    assert.match(await readPacket(client), /^32..000174000205020000000[89]/);
    await ping(client);
  });
});
