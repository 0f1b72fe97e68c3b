import { after, describe, it } from 'node:test';
import { connected, ping, startBroker } from '../support/broker.js';
import { type ConnectFields, hex, publish, subscribe, will } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

/** CONNECT fields of a client whose will has a delay and whose session an expiry, in seconds. */
function doomed(name: string, delay: number, expiry?: number): ConnectFields {
  return {
    clientId: `${name}/client`,
    cleanStart: false,
    properties: expiry === undefined ? '' : `11 ${hex(expiry, 4)}`,
    will: will(5, name, 'gone', { properties: `18 ${hex(delay, 4)}` }),
  };
}

async function watching(topic: string): Promise<RawClient> {
  const client = await connected(port, 5);
  client.send(subscribe(5, 1, { [topic]: 0 }));
  await client.expect('90 04 0001 00 00');
  return client;
}

async function die(fields: ConnectFields): Promise<void> {
  const client = await connected(port, 5, fields);
  client.socket.end();
  await client.closed();
}

/** Shows that nothing else was published to `topic` before now. */
async function nothingElse(watcher: RawClient, topic: string): Promise<void> {
  watcher.send(publish(5, topic, 'barrier'));
  await watcher.expect(publish(5, topic, 'barrier'));
}

/** Waits until a will with a delay of one second is due that began now: those that began before were due before. */
async function oneSecondWillFires(topic: string): Promise<void> {
  const watcher = await watching(topic);
  await die(doomed(topic, 1, 60));
  await watcher.expect(publish(5, topic, 'gone'));
  watcher.end();
}

describe('A delayed will', { concurrency: true }, () => {
  it('is published once when the delay is over, and not at once [MQTT-3.1.2-8] [MQTT-3.1.2-10]', async () => {
    const topic = 'delayed/in-time';
    const watcher = await watching(topic);
    await die(doomed(topic, 1, 60));
    await nothingElse(watcher, topic);
    await watcher.expect(publish(5, topic, 'gone'));
    await nothingElse(watcher, topic);
    watcher.end();
  });

  it('is withheld when its client comes back before [MQTT-3.1.3-9]', async () => {
    const topic = 'delayed/back';
    const watcher = await watching(topic);
    const fields = doomed(topic, 1, 60);
    await die(fields);
    const back = await connected(port, 5, fields);
    await oneSecondWillFires('delayed/back/measure');
    await nothingElse(watcher, topic);
    await ping(back);
    back.send('e000');
    await back.closed();
    await nothingElse(watcher, topic);
    watcher.end();
  });

  it('is withheld when another connection takes the session over [MQTT-3.1.2-8] [MQTT-3.1.3-9]', async () => {
    const topic = 'delayed/taken';
    const watcher = await watching(topic);
    const old = await connected(port, 5, doomed(topic, 1, 60));
    const next = await connected(port, 5, { ...doomed(topic, 1, 60), will: will(5, `${topic}/next`, 'gone') });
    await old.expect('e0 01 8e');
    await oneSecondWillFires('delayed/taken/measure');
    await nothingElse(watcher, topic);
    next.end();
    watcher.end();
  });

  it('is published at once when its client comes back with a clean start, for its session has ended [MQTT-3.1.2-8]', async () => {
    const topic = 'delayed/clean';
    const watcher = await watching(topic);
    const fields = doomed(topic, 60, 60);
    await die(fields);
    await nothingElse(watcher, topic);
    const back = await connected(port, 5, { ...fields, cleanStart: true });
    await watcher.expect(publish(5, topic, 'gone'));
    back.end();
    watcher.end();
  });

  it('is published at once when a clean start takes over [MQTT-3.1.2-8]', async () => {
    const topic = 'delayed/clean-take';
    const watcher = await watching(topic);
    const old = await connected(port, 5, doomed(topic, 60, 60));
    const next = await connected(port, 5, { ...doomed(topic, 60, 60), cleanStart: true });
    await watcher.expect(publish(5, topic, 'gone'));
    await old.expect('e0 01 8e');
    next.end();
    watcher.end();
  });

  it('is published when the session ends, and only then, if that comes first (CVE-2019-11778) [MQTT-3.1.2-8]', async () => {
    const topic = 'delayed/session';
    const watcher = await watching(topic);
    await die(doomed(topic, 2, 1));
    await nothingElse(watcher, topic);
    await watcher.expect(publish(5, topic, 'gone'));
    await oneSecondWillFires('delayed/session/measure');
    await nothingElse(watcher, topic);
    watcher.end();
  });

  it('is published at once if the session ends with the connection [MQTT-3.1.2-8]', async () => {
    for (const expiry of [undefined, 0]) {
      const topic = `delayed/no-session/${expiry}`;
      const watcher = await watching(topic);
      await die(doomed(topic, 60, expiry));
      await watcher.expect(publish(5, topic, 'gone'));
      watcher.end();
    }
  });

  it('is discarded by DISCONNECT 0x00 [MQTT-3.14.4-3]', async () => {
    const topic = 'delayed/goodbye';
    const watcher = await watching(topic);
    const client = await connected(port, 5, doomed(topic, 1, 60));
    client.send('e000');
    await client.closed();
    await oneSecondWillFires('delayed/goodbye/measure');
    await nothingElse(watcher, topic);
    watcher.end();
  });

  it('waits after DISCONNECT 0x04, and no longer than the session that DISCONNECT leaves [MQTT-3.1.2-8]', async () => {
    const topic = 'delayed/with-will';
    const watcher = await watching(topic);
    const client = await connected(port, 5, doomed(topic, 60, 60));
    client.send('e0 07 04 05 11 00000001');
    await client.closed();
    await nothingElse(watcher, topic);
    await watcher.expect(publish(5, topic, 'gone'));
    watcher.end();
  });

  it('has its message expiry counted from when it is published', async () => {
    const topic = 'delayed/expiry';
    const watcher = await watching(topic);
    const properties = '18 00000001 02 00000002';
    await die({ ...doomed(topic, 1, 60), will: will(5, topic, 'gone', { properties }) });
    await watcher.expect(publish(5, topic, 'gone', { properties: '02 00000002' }));
    watcher.end();
  });
});
