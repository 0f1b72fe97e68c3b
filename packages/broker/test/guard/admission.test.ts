import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { waitFor } from '@moat/testkit';
import { Shares } from '../../dist/guard/shares.js';
import type { ConfigurationInput } from '../../dist/index.js';
import { ping, readPacket, silent, startBroker } from '../support/broker.js';
import { connectFrom } from '../support/from-address.js';
import { connectPacket } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import type { RawClient } from '../support/raw-client.js';

async function guarded(t: TestContext, limits: NonNullable<ConfigurationInput['limits']>, listener = {}) {
  const told: unknown[] = [];
  const { broker, port, stop } = await startBroker(
    { limits, listeners: [{ protocol: 'mqtt', port: 0, ...listener }] },
    {
      log: { ...silent, info: ({ event }: { event?: string }) => void told.push(event) },
      files: { passwords: await passwordFile({ known: 'secret' }) },
    },
  );
  t.after(stop);
  const from = (address: string): Promise<RawClient> => connectFrom(address, port);
  const welcome = async (address: string, fields = {}): Promise<RawClient> => {
    const client = await from(address);
    client.send(connectPacket(5, fields));
    assert.match(await readPacket(client), /^20..0000/);
    return client;
  };
  const known = (address: string): Promise<RawClient> => welcome(address, { username: 'known', password: 'secret' });
  const refused = async (address: string): Promise<void> => {
    const client = await from(address);
    client.send(connectPacket(5));
    await client.closed();
  };
  return { broker, told, from, welcome, known, refused, events: () => broker.status().events };
}

describe('Admission', () => {
  it('bounds the connections of one address, and leaves room for others', async (t) => {
    const { welcome, refused, events } = await guarded(t, { max_connections_per_address: 2 });
    const held = [await welcome('127.0.0.2'), await welcome('127.0.0.2')];
    await refused('127.0.0.2');
    held.push(await welcome('127.0.0.3'));
    assert.equal(events()['limit.connections'], 1);
    for (const client of held) await ping(client);
    held[0]?.end();
    await waitFor(() => welcome('127.0.0.2').then((client) => held.push(client)));
    for (const client of held) client.end();
  });

  it('bounds those of one network', async (t) => {
    const { welcome, refused } = await guarded(t, { max_connections_per_subnet: 2 });
    const held = [await welcome('127.0.9.2'), await welcome('127.0.9.3')];
    await refused('127.0.9.4');
    held.push(await welcome('127.0.8.4'));
    for (const client of held) client.end();
  });

  it('takes networks to be as large as is said', async (t) => {
    const { welcome, refused } = await guarded(t, { max_connections_per_subnet: 2, subnet_prefix_ipv4: 20 });
    const held = [await welcome('127.0.0.2'), await welcome('127.0.15.3')];
    await refused('127.0.8.4');
    held.push(await welcome('127.0.16.4'));
    for (const client of held) client.end();
  });

  it('counts those of a listener with limits of its own by themselves', async (t) => {
    const { broker, stop } = await startBroker({
      limits: { max_connections_per_address: 3, max_connections_per_subnet: 4 },
      listeners: [
        { protocol: 'mqtt', port: 0 },
        { protocol: 'mqtt', bind: '127.0.0.2', port: 0, limits: { max_connections_per_address: 1 } },
        { protocol: 'mqtt', bind: '127.0.0.3', port: 0, limits: { max_connections_per_subnet: 2 } },
      ],
    });
    t.after(stop);
    const held: RawClient[] = [];
    const comes = async (to: string, from: string): Promise<boolean> => {
      const { port = 0 } = broker.listeners.find(({ address }) => address === to) ?? {};
      const client = await connectFrom(from, port, to);
      client.send(connectPacket(5));
      held.push(client);
      return client.read(1).then(
        () => true,
        () => false,
      );
    };
    const [general, narrow, wide] = ['127.0.0.1', '127.0.0.2', '127.0.0.3'] as const;
    assert.deepEqual(
      [
        await comes(narrow, '127.0.9.1'),
        await comes(narrow, '127.0.9.1'),
        await comes(narrow, '127.0.9.2'),
        await comes(general, '127.0.9.1'),
        await comes(general, '127.0.9.1'),
        await comes(general, '127.0.9.1'),
        await comes(general, '127.0.9.1'),
        await comes(wide, '127.0.9.1'),
        await comes(wide, '127.0.9.3'),
        await comes(wide, '127.0.9.4'),
        await comes(general, '127.0.9.3'),
        await comes(general, '127.0.9.4'),
      ],
      [true, false, true, true, true, true, false, true, true, false, true, false],
    );
    for (const client of held) client.end();
    await waitFor(() => broker.status().connections === 0);
    assert.equal(await comes(narrow, '127.0.9.1'), true);
    held.at(-1)?.end();
  });

  it('bounds how fast they come through a listener with a rate of its own', async (t) => {
    const many = Array.from({ length: 10 }, () => '127.0.7.1');
    const rates = { connect_rate_per_address: 1, connect_rate_per_subnet: 1_000 };
    const narrow = await guarded(t, { connect_burst: 1, connect_rate_per_address: 1_000 }, { limits: rates });
    const wide = await guarded(t, { connect_burst: 1, ...rates }, { limits: { connect_rate_per_address: 1_000 } });
    const held = await Promise.all(many.flatMap((address) => [narrow.from(address), wide.from(address)]));
    await waitFor(() => (narrow.events()['limit.connect_rate'] ?? 0) > 0);
    assert.equal(wide.events()['limit.connect_rate'], 0);
    for (const client of held) client.end();
  });

  it('bounds how fast they come from one address and one network', async (t) => {
    const { welcome, refused, events } = await guarded(t, {
      connect_rate_per_address: 1,
      connect_rate_per_subnet: 3,
      connect_burst: 1,
    });
    const held = [await welcome('127.0.9.2'), await welcome('127.0.9.3'), await welcome('127.0.9.4')];
    await Promise.all([refused('127.0.9.2'), refused('127.0.9.5')]);
    assert.ok((events()['limit.connect_rate'] ?? 0) >= 1);
    for (const client of held) client.end();
  });

  it('bounds how fast they come to one listener, and tells a flood by its number', async (t) => {
    const { broker, told, from, events } = await guarded(t, { connect_burst: 1 }, { connect_rate: 1 });
    let closed = 0;
    const flood = await Promise.all(Array.from({ length: 200 }, () => from('127.0.0.2')));
    for (const { socket } of flood) socket.destroyed ? closed++ : socket.once('close', () => closed++);
    await waitFor(() => closed >= 180);
    assert.ok(broker.status().guard.connections <= 20);
    for (const client of flood) client.end();
    await broker.stop();
    assert.ok((events()['limit.connect_rate'] ?? 0) >= 180);
    assert.ok(told.length < 180);
  });

  it('bounds how fast they come to all listeners, whatever one of them may take', async (t) => {
    const { broker, from, events } = await guarded(t, { connect_burst: 1, connect_rate: 1 }, { connect_rate: 1_000 });
    const flood = await Promise.all(Array.from({ length: 200 }, () => from('127.0.0.2')));
    await waitFor(() => flood.filter(({ socket }) => socket.destroyed).length >= 180);
    assert.ok(broker.status().guard.connections <= 20);
    for (const client of flood) client.end();
    await broker.stop();
    assert.ok((events()['limit.connect_rate'] ?? 0) >= 180);
  });

  it('keeps the last tokens for addresses that somebody has logged in from, however fast strangers come', async (t) => {
    const { known, from, events } = await guarded(t, { connect_burst: 20, connect_rate: 1 });
    const held = [await known('127.0.0.6')];
    const flood = await Promise.all(Array.from({ length: 60 }, () => from('127.0.0.2')));
    await waitFor(() => events()['limit.connect_rate'] ?? 0);
    held.push(await known('127.0.0.6'));
    for (const client of held) await ping(client);
    for (const client of [...flood, ...held]) client.end();
  });

  it('sends away who has not finished its CONNECT when slots run short, the oldest first', async (t) => {
    const { broker, from, known, events } = await guarded(t, { max_connections: 4 });
    const slow = [await from('127.0.0.2'), await from('127.0.0.3'), await from('127.0.0.4'), await from('127.0.0.5')];
    await waitFor(() => broker.status().guard.withoutConnect === 4);
    const clients = [await known('127.0.0.6'), await known('127.0.0.7')];
    await slow[0]?.closed();
    await slow[1]?.closed();
    assert.equal(broker.status().guard.withoutConnect, 2);
    assert.equal(events()['limit.evicted'], 2);
    for (const client of clients) await ping(client);
    for (const client of [...slow, ...clients]) client.end();
  });

  it('then the idlest that nothing proves, and never one that has proven who it is', async (t) => {
    const { broker, welcome, known, refused } = await guarded(t, {
      max_connections: 3,
      max_anonymous_share: 100,
      connect_timeout: 1,
    });
    const kept = await known('127.0.0.2');
    const [idle, busy] = [await welcome('127.0.0.3'), await welcome('127.0.0.4')];
    await refused('127.0.0.7');
    const next = await waitFor(async () => {
      await ping(busy);
      return known('127.0.0.5').catch(() => undefined);
    });
    assert.ok(next);
    assert.match(await readPacket(idle), /^e0..89/);
    await idle.closed();
    await waitFor(() => broker.status().guard.connections === 3);
    const last = await waitFor(() => known('127.0.0.6').catch(() => undefined));
    assert.ok(last);
    assert.match(await readPacket(busy), /^e0..89/);
    await refused('127.0.0.7');
    for (const client of [kept, next, last]) {
      await ping(client);
      client.end();
    }
  });

  it('keeps the last slots for those that prove who they are', async (t) => {
    const { from, welcome, known } = await guarded(t, { max_connections: 4, max_anonymous_share: 50 });
    const held = [await welcome('127.0.0.2'), await welcome('127.0.0.3')];
    const late = await from('127.0.0.4');
    late.send(connectPacket(5));
    assert.match(await readPacket(late), /^20..0089/);
    await late.closed();
    held.push(await known('127.0.0.5'), await known('127.0.0.6'));
    for (const client of held) {
      await ping(client);
      client.end();
    }
  });

  it('forgets sources without a connection before they are too many', () => {
    const shares = new Shares();
    const held = shares.of('held', 0);
    shares.enter(held);
    for (let index = 0; index < 200_000; index++) shares.of(`source ${index}`, 0);
    assert.ok(shares.size <= 65_537);
    assert.equal(shares.of('held', 0), held);
  });
});
