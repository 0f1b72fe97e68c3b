import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { defaultPolicy } from '../../dist/index.js';
import { connected, ping, startBroker, testConfiguration } from '../support/broker.js';
import { connectPacket, publish, subscribe, will } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';

/*
 * Aedes, mochi #503: a will to a topic that its client may not publish to.
 */
const passwords = await passwordFile({ admin: 'a', lamp: 'l' });
const files = { passwords, 'policy.yaml': defaultPolicy };
const input = { authentication: {}, authorization: {} };

const lamp = { username: 'lamp', password: 'l', clientId: 'lamp' };
const admin = { username: 'admin', password: 'a', clientId: 'admin' };

async function watching(port: number): Promise<RawClient> {
  const watcher = await connected(port, 5, admin);
  watcher.send(subscribe(5, 1, { '#': 0, '$SYS/#': 0 }));
  await watcher.expect('90 05 0001 00 00 00');
  return watcher;
}

describe('A will to a forbidden topic', async () => {
  const { port, broker, stop } = await startBroker(input, { files });
  after(stop);
  const watcher = await watching(port);
  after(() => watcher.end());

  for (const topic of ['devices/other/state', 'devices', '$SYS/broker/version', '$share/group/devices/lamp/x']) {
    for (const [version, answer] of [
      [4, '20 02 00 05'],
      [5, '20 03 00 87 00'],
    ] as const) {
      it(`is refused at CONNECT, and never published: ${topic} in version ${version}`, async () => {
        for (const retain of [false, true]) {
          const client = await RawClient.connect(port);
          client.send(connectPacket(version, { ...lamp, will: will(version, topic, 'gone', { retain }) }));
          await client.expect(answer);
          await client.closed();
        }
        await ping(watcher);
      });
    }
  }

  it('does not touch who is connected under the same client identifier', async () => {
    const client = await connected(port, 5, lamp);
    const second = await RawClient.connect(port);
    second.send(connectPacket(5, { ...lamp, will: will(5, 'devices/other/state', 'gone') }));
    await second.expect('20 03 00 87 00');
    await second.closed();
    await ping(client);
    client.end();
  });

  it('is an event each time', () => {
    assert.ok((broker.status().events['policy.denied'] ?? 0) > 0);
  });
});

describe('A will', () => {
  it('to an allowed topic is published', async () => {
    const { port, stop } = await startBroker(input, { files });
    after(stop);
    const watcher = await watching(port);
    const client = await connected(port, 5, { ...lamp, will: will(5, 'devices/lamp/state', 'gone') });
    client.socket.resetAndDestroy();
    await watcher.expect(publish(5, 'devices/lamp/state', 'gone'));
    watcher.end();
  });

  it('whose right has gone meanwhile is not published: it is judged again when it is due', async () => {
    const { port, broker, directory, stop } = await startBroker(input, { files });
    after(stop);
    const watcher = await watching(port);
    const client = await connected(port, 5, { ...lamp, will: will(5, 'devices/lamp/state', 'gone') });
    const withoutLamps = defaultPolicy.replace('devices/$' + '{username}/#', 'nowhere');
    await writeFile(join(directory, 'policy.yaml'), withoutLamps);
    await broker.reload(testConfiguration(directory, input));
    client.socket.end();
    await client.closed();
    await ping(watcher);
    watcher.end();
  });
});
