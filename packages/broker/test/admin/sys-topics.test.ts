import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { needs, run, startMosquitto } from '@moat/testkit';
import { connected, ping, readPacket, startBroker, testConfiguration } from '../support/broker.js';
import { publish, subscribe } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

/** Topic and payload of a PUBLISH of QoS 0 of 3.1.1, short enough to have one byte of length. */
function messageIn(packet: string): { topic: string; payload: string; retain: boolean } {
  const bytes = Buffer.from(packet, 'hex');
  const end = 4 + bytes.readUInt16BE(2);
  return { topic: bytes.toString('utf8', 4, end), payload: bytes.toString('utf8', end), retain: bytes[0] === 0x31 };
}

/** What comes until the topic does. */
async function until(client: RawClient, topic: string, payload?: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (;;) {
    const message = messageIn(await readPacket(client));
    found.set(message.topic, message.payload);
    if (message.topic === topic && (payload === undefined || message.payload === payload)) return found;
  }
}

describe('$SYS', () => {
  it('has names that Mosquitto has', needs('mosquitto', 'mosquitto_sub'), async (t) => {
    const mosquitto = await startMosquitto(t, { lines: ['sys_interval 1'] });
    const { port, stop } = await startBroker({ sys_interval: 1 });
    t.after(stop);
    const listing = (from: number) =>
      run('mosquitto_sub', ['-h', '127.0.0.1', '-p', String(from), '-t', '$SYS/#', '-W', '2', '-F', '%t']);
    const [theirs, ours] = (await Promise.all([listing(mosquitto.port), listing(port)])).map(
      ({ stdout }) => new Set(stdout.trim().split('\n')),
    );
    assert.ok(theirs && ours);
    assert.ok(ours.size > 40, `${ours.size} topics`);
    assert.deepEqual(
      [...ours].filter((topic) => !theirs.has(topic) && !topic.startsWith('$SYS/broker/guard/')),
      [],
    );
  });

  it('tells what changes, at every interval, to those who are subscribed', async (t) => {
    const { port, stop } = await startBroker({ sys_interval: 1 });
    t.after(stop);
    const client = await connected(port, 4);
    client.send(subscribe(4, 1, { '$SYS/broker/clients/connected': 0, '$SYS/broker/publish/messages/received': 0 }));
    await readPacket(client);
    await until(client, '$SYS/broker/clients/connected');
    const others = [await connected(port, 4), await connected(port, 5)];
    others[0]?.send(publish(4, 'x', 'x'));
    const seen = await until(client, '$SYS/broker/clients/connected', '3');
    if (seen.get('$SYS/broker/publish/messages/received') !== '1')
      await until(client, '$SYS/broker/publish/messages/received', '1');
    for (const other of [client, ...others]) other.end();
  });

  it('is not there with an interval of 0, and goes away at a reload that sets it', async (t) => {
    const { broker, port, directory, stop } = await startBroker({ sys_interval: 3_600 });
    t.after(stop);
    const client = await connected(port, 4);
    client.send(subscribe(4, 1, { '$SYS/broker/version': 0 }));
    await readPacket(client);
    const { topic, payload, retain } = messageIn(await readPacket(client));
    assert.deepEqual([topic, retain], ['$SYS/broker/version', true]);
    assert.match(payload, /^moat version \d/);
    await broker.reload(testConfiguration(directory, { sys_interval: 0 }));
    client.send(subscribe(4, 2, { '$SYS/#': 0 }));
    assert.match(await readPacket(client), /^90/);
    await ping(client);
    client.end();
  });
});
