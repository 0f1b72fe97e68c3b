import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { connectPacket, hex, publish, subscribe, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker({ limits: { max_session_expiry: 0xffff_ffff } });
after(stop);

async function open(clientId: string, expiry?: number): Promise<{ client: RawClient; present: boolean }> {
  const client = await RawClient.connect(port);
  const properties = expiry === undefined ? '' : `11 ${hex(expiry, 4)}`;
  client.send(connectPacket(5, { clientId, cleanStart: false, properties }));
  const connack = await readPacket(client);
  assert.match(connack, /^20..0[01]00/);
  return { client, present: connack.slice(4, 6) === '01' };
}

/** DISCONNECT, which may bring another Session Expiry Interval. */
async function leave(client: RawClient, expiry?: number): Promise<void> {
  client.send(expiry === undefined ? 'e000' : `e0 07 00 05 11 ${hex(expiry, 4)}`);
  await client.closed();
}

/** Waits for the end of a session of one second that begins now: a will tells of it. */
async function oneSecondSessionEnds(topic: string): Promise<void> {
  const watcher = await connected(port, 5);
  watcher.send(subscribe(5, 1, { [topic]: 0 }));
  await watcher.expect('90 04 0001 00 00');
  const properties = '18 0000003c';
  const doomed = await connected(port, 5, { properties: '11 00000001', will: will(5, topic, 'over', { properties }) });
  doomed.socket.resetAndDestroy();
  await watcher.expect(publish(5, topic, 'over'));
  watcher.end();
}

describe('The Session Expiry Interval', { concurrency: true }, () => {
  it('of 0 or none ends the session with the connection [MQTT-3.1.2-23] [MQTT-4.1.0-2]', async () => {
    for (const expiry of [undefined, 0]) {
      await leave((await open('zero', expiry)).client);
      const { client, present } = await open('zero', expiry);
      assert.equal(present, false);
      await leave(client);
    }
  });

  it('above 0 keeps it, however the connection ended [MQTT-3.1.2-23]', async () => {
    await leave((await open('kept', 60)).client);
    const { client, present } = await open('kept', 60);
    assert.equal(present, true);
    client.socket.resetAndDestroy();
    assert.equal((await open('kept', 60)).present, true);
  });

  it('of the greatest values keeps it, though no timer of the platform reaches as far [MQTT-3.1.2-23]', async () => {
    for (const expiry of [0xffff_fffe, 0xffff_ffff]) {
      const name = `long${expiry}`;
      await leave((await open(name, expiry)).client);
      await leave((await open('short', 1)).client);
      assert.equal((await open(name, expiry)).present, true);
    }
  });

  it('may be raised and lowered by DISCONNECT', async () => {
    await leave((await open('changed', 1)).client, 60);
    await leave((await open('changed', 60)).client, 0);
    assert.equal((await open('changed', 1)).present, false);
  });

  it('is changed by a DISCONNECT whose sender is gone at once', async () => {
    const { client } = await open('hasty', 1);
    client.send('e0 07 00 05 11 0000003c');
    client.socket.end();
    await client.closed();
    assert.equal((await open('hasty', 1)).present, true);
  });

  it('of 0 cannot be raised by DISCONNECT', async () => {
    const { client } = await open('raised');
    client.send('e0 07 00 05 11 00000001');
    await client.expect('e0 01 82');
    await client.closed();
    assert.equal((await open('raised')).present, false);
  });

  it('over, the session is gone with its messages; within it, it is there [MQTT-3.2.2-3] [MQTT-4.1.0-2]', async () => {
    const { client } = await open('over', 1);
    client.send(subscribe(5, 1, { over: 1 }));
    await client.expect('90 04 0001 00 01');
    await leave(client);
    const within = await open('over', 1);
    assert.equal(within.present, true);
    await leave(within.client);
    const publisher = await connected(port, 5);
    publisher.send(publish(5, 'over', 'x', { qos: 1 }));
    await publisher.expect('40 02 0001');
    await oneSecondSessionEnds('over/will');
    publisher.send(publish(5, 'over', 'x', { qos: 1 }));
    await publisher.expect('40 03 0001 10');
    publisher.end();
    const after = await open('over', 1);
    assert.equal(after.present, false);
    await ping(after.client);
    after.client.end();
  });

  it('does not count while a client is connected, and that of a connection before does not end the next', async () => {
    await leave((await open('busy', 1)).client);
    const { client, present } = await open('busy', 2);
    assert.equal(present, true);
    await oneSecondSessionEnds('busy/will');
    await ping(client);
    const again = await open('busy', 2);
    assert.equal(again.present, true);
    again.client.end();
  });
});
