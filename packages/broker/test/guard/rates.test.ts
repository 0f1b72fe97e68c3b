import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { waitFor } from '@moat/testkit';
import { OperatorErrors, parseConfiguration } from '../../dist/index.js';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { connectFrom } from '../support/from-address.js';
import { connectPacket, publish, subscribe, unsubscribe } from '../support/packets.js';

async function limited(t: TestContext, limits: Record<string, number>, listeners: Record<string, number> = {}) {
  const { broker, port, stop } = await startBroker({
    limits,
    listeners: [
      { protocol: 'mqtt', port: 0 },
      { protocol: 'mqtt', bind: '127.0.0.2', port: 0, limits: listeners },
    ],
  });
  t.after(stop);
  return { broker, port, status: () => broker.status() };
}

describe('What a client may spend', () => {
  it('is messages a second: above that it is read no further for a while, and loses nothing', async (t) => {
    const { port, status } = await limited(t, { max_publish_rate: 100, spending_burst: 1 });
    const client = await connected(port, 5);
    const began = performance.now();
    for (let index = 0; index < 250; index++) client.send(publish(5, 'a', 'x'));
    await waitFor(() => status().traffic.messagesReceived === 250);
    await ping(client);
    assert.ok(performance.now() - began >= 1_000, 'a hundred at once, the others at their rate');
    assert.ok(status().traffic.ratePauses > 0);
    assert.equal(status().events['limit.rate'], 1);
    client.end();
  });

  it('is bytes a second', async (t) => {
    const { port, status } = await limited(t, { max_receive_rate: 10_240, spending_burst: 1 });
    const client = await connected(port, 5);
    for (let index = 0; index < 2; index++) client.send(publish(5, 'a', 'x'.repeat(8_000)));
    await ping(client);
    assert.ok(status().traffic.ratePauses > 0);
    client.end();
  });

  it('is filters a second', async (t) => {
    const { port, status } = await limited(t, { max_subscribe_rate: 10, spending_burst: 1 });
    const client = await connected(port, 5);
    for (let index = 1; index <= 7; index++) {
      client.send(subscribe(5, index, { a: 0 }));
      client.send(unsubscribe(5, index + 100, 'a'));
    }
    for (let index = 0; index < 14; index++) await readPacket(client);
    await ping(client);
    assert.ok(status().traffic.ratePauses > 0);
    client.end();
  });

  it('with what would make it wait too long it is disconnected', async (t) => {
    const { port, status } = await limited(t, { max_publish_rate: 1, spending_burst: 1, max_pause: 1 });
    const [client, other] = [await connected(port, 5), await connected(port, 5)];
    client.send(Buffer.from(publish(5, 'a', 'x').repeat(100), 'hex'));
    assert.match(await readPacket(client), /^e0..96/);
    await client.closed();
    assert.equal(status().traffic.rateDisconnects, 1);
    await ping(other);
    other.end();
  });

  it('is wildcard and shared subscriptions, of each so many', async (t) => {
    const { port } = await limited(t, { max_wildcard_subscriptions: 1, max_shared_subscriptions: 1 });
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { 'a/#': 0, 'b/+': 0, 'a/b': 0, '$share/g/a': 0, '$share/h/a': 0 }));
    assert.match(await readPacket(client), /0097000097$/);
    client.send(subscribe(5, 2, { 'a/#': 1 }));
    assert.match(await readPacket(client), /01$/);
    client.end();
  });

  it('is sessions of one user', async (t) => {
    const { port, status } = await limited(t, { max_sessions_per_user: 2 });
    const held = [await connected(port, 5, { clientId: 'a' }), await connected(port, 5, { clientId: 'b' })];
    await assert.rejects(connected(port, 5, { clientId: 'c' }), /97/);
    assert.equal(status().events['limit.sessions'], 1);
    held.push(await connected(port, 5, { clientId: 'a' }));
    held[1]?.end();
    await waitFor(() => status().sessions === 1);
    held.push(await connected(port, 5, { clientId: 'c' }));
    for (const client of held) client.end();
  });

  it('may be otherwise on one listener', async (t) => {
    const { broker, port } = await limited(t, {}, { max_subscriptions: 1 });
    const limitedPort = broker.listeners.find(({ address }) => address === '127.0.0.2')?.port ?? 0;
    assert.notEqual(limitedPort, 0);
    const wide = await connected(port, 5);
    wide.send(subscribe(5, 1, { a: 0, b: 0 }));
    assert.match(await readPacket(wide), /0000$/);
    wide.end();
    const narrow = await connectFrom('127.0.0.1', limitedPort, '127.0.0.2');
    narrow.send(connectPacket(5));
    await readPacket(narrow);
    narrow.send(subscribe(5, 1, { a: 0, b: 0 }));
    assert.match(await readPacket(narrow), /0097$/);
    narrow.end();
  });

  it('is checked where it is written', () => {
    const text = 'listeners:\n  - protocol: mqtt\n    limits: { max_publish_rate: 0 }\n';
    assert.throws(
      () => parseConfiguration(text, 'moat.yaml'),
      (error) => error instanceof OperatorErrors && /moat\.yaml:3:33: /.test(error.message),
    );
    assert.throws(
      () => parseConfiguration(text.replace('max_publish_rate: 0', 'max_sessions: 7'), 'moat.yaml'),
      /max_sessions/,
    );
  });
});
