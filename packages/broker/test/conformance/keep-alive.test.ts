import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { connectPacket, publish, subscribe, type Version, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const own = await startBroker();
const ceiling = await startBroker({ limits: { max_keepalive: 1 } });
const hasty = await startBroker({ limits: { connect_timeout: 1 } });
after(() => Promise.all([own.stop(), ceiling.stop(), hasty.stop()]));

/** Sends PINGREQ again and again until `end` has come, and shows that each is answered. */
async function pingUntil(client: RawClient, end: Promise<void>): Promise<void> {
  let over = false;
  const ended = end.finally(() => {
    over = true;
  });
  while (!over) {
    await ping(client);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await ended;
  await ping(client);
}

async function timesOut(client: RawClient, version: Version): Promise<void> {
  if (version === 5) await client.expect('e0 01 8d');
  await client.closed();
}

describe('Keep alive', { concurrency: true }, () => {
  for (const version of [3, 4, 5] as const) {
    it(`ends a silent connection of version ${version}, and leaves one that pings [MQTT-3.1.2-20] [MQTT-3.1.2-22] [MQTT-3.2.2-22]`, async () => {
      const topic = `keep-alive/${version}`;
      const watcher = await connected(own.port, version, { keepAlive: 0 });
      watcher.send(subscribe(version, 1, { [topic]: 0 }));
      assert.match(await readPacket(watcher), /^90/);
      const silent = await connected(own.port, version, { keepAlive: 1, will: will(version, topic, 'gone') });
      const lively = await connected(own.port, version, { keepAlive: 1 });
      await pingUntil(lively, timesOut(silent, version));
      await watcher.expect(publish(version, topic, 'gone'));
      lively.end();
      watcher.end();
    });
  }

  it('counts what the client sends, not what it is sent [MQTT-3.1.2-22]', async () => {
    const silent = await connected(own.port, 4, { keepAlive: 1 });
    silent.send(subscribe(4, 1, { flood: 0 }));
    await silent.expect('90 03 0001 00');
    const publisher = await connected(own.port, 4, { keepAlive: 0 });
    const flood = setInterval(() => publisher.send(publish(4, 'flood', 'x')), 100);
    const message = publish(4, 'flood', 'x');
    await assert.rejects(async () => {
      for (;;) await silent.expect(message);
    }, /the peer closed/);
    clearInterval(flood);
    publisher.end();
  });

  it('allows the time that it says, and half as much again [MQTT-3.1.2-22]', async () => {
    // The one of two seconds began first and is still there when the other has gone.
    const two = await connected(own.port, 5, { keepAlive: 2 });
    const one = await connected(own.port, 5, { keepAlive: 1 });
    await timesOut(one, 5);
    await ping(two);
    two.end();
  });

  for (const asked of [0, 60, 65_535]) {
    it(`of ${asked} is lowered to the ceiling of the server, which then holds [MQTT-3.1.2-21] [MQTT-3.2.2-21]`, async () => {
      const client = await RawClient.connect(ceiling.port);
      client.send(connectPacket(5, { keepAlive: asked }));
      await client.expect('20 11 00 00 0e 22 0020 13 0001 27 00100000 21 03e8');
      const older = await connected(ceiling.port, 4, { keepAlive: asked });
      await Promise.all([timesOut(client, 5), timesOut(older, 4)]);
    });
  }

  it('below the ceiling is the client’s own, and CONNACK is silent about it [MQTT-3.2.2-22]', async () => {
    const client = await RawClient.connect(ceiling.port);
    client.send(connectPacket(5, { keepAlive: 1 }));
    await client.expect('20 0e 00 00 0b 22 0020 27 00100000 21 03e8');
    client.end();
  });

  it('of 0 is none where the server has no ceiling', async () => {
    const broker = await startBroker({ limits: { profile: 'off' } });
    const forever = await connected(broker.port, 5, { keepAlive: 0 });
    const mortal = await connected(broker.port, 5, { keepAlive: 1 });
    await timesOut(mortal, 5);
    await ping(forever);
    forever.end();
    await broker.stop();
  });

  for (const [title, bytes] of Object.entries({
    'that says nothing': '',
    'that stops within CONNECT': '10 0e 0004 4d515454 05 02',
    'that announces more than it sends': '10 ff 7f 0004 4d515454 04 02 003c',
  })) {
    it(`does not hold before CONNECT: a connection ${title} is closed by a deadline of its own`, async () => {
      const client = await RawClient.connect(hasty.port);
      client.send(bytes);
      await client.closed();
    });
  }

  it('does not stop a connection that is closed within CONNECT by its client', async () => {
    const client = await RawClient.connect(own.port);
    client.send('10 0e 0004 4d515454 05 02');
    client.socket.end();
    await client.closed();
  });
});
