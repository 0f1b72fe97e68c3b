import assert from 'node:assert/strict';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { waitFor } from '@moat/testkit';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { memoryInUse } from '../support/memory.js';
import { connectPacket, publish, subscribe, unsubscribe, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const MiB = 1_048_576;

describe('A flood of CONNECT', () => {
  it('gets in at the rate of its address, and keeps no message from those who are there', async (t) => {
    const { port, stop, broker } = await startBroker({ limits: { connect_rate_per_address: 10, connect_burst: 2 } });
    t.after(stop);
    const [speaker, listener] = [await connected(port, 5), await connected(port, 5)];
    listener.send(subscribe(5, 1, { news: 0 }));
    await readPacket(listener);
    const before = broker.status().traffic.connectionsAccepted;
    const sockets: Socket[] = [];
    let turnedAway = 0;
    const started = performance.now();
    for (let count = 0; count < 1_000; count++) {
      const socket = connectTcp(port, '127.0.0.1').on('error', () => {});
      socket.on('close', () => turnedAway++);
      socket.resume().write(Buffer.from(connectPacket(4), 'hex'));
      sockets.push(socket);
      if (count % 20 > 0) continue;
      speaker.send(publish(5, 'news', String(count)));
      await listener.expect(publish(5, 'news', String(count)));
    }
    const accepted = (): number => broker.status().traffic.connectionsAccepted - before;
    await waitFor(() => turnedAway + accepted() >= sockets.length, { timeout: 50_000 });
    const seconds = (performance.now() - started) / 1_000;
    assert.ok(accepted() <= 20 + 10 * seconds + 1, `${accepted()} in ${seconds} s`);
    for (const socket of sockets) socket.destroy();
    for (const client of [speaker, listener]) client.end();
  });
});

describe('A flood of TLS handshakes', () => {
  it('begun and abandoned keeps nobody out', async (t) => {
    let ca = '';
    const { port, stop, broker } = await startBroker(
      {
        listeners: [{ protocol: 'mqtts', bind: '127.0.0.1', port: 0 }],
        limits: { max_handshakes: 5, handshake_timeout: 3 },
      },
      { prepare: async (directory) => ({ ca } = await TestAuthority.create(directory)) },
    );
    t.after(stop);
    const begun: Socket[] = [];
    t.after(() => {
      for (const socket of begun) socket.destroy();
    });
    // The head of a ClientHello that announces more than ever comes.
    const beginning = Buffer.from('1603010200010001fc0303', 'hex');
    for (let count = 0; count < 15; count++) {
      const socket = connectTcp(port, '127.0.0.1').on('error', () => {});
      socket.resume();
      if (count % 2 === 0) socket.write(beginning);
      begun.push(socket);
    }
    const honest = await RawClient.connect(port, { tls: { ca, servername: 'localhost' }, timeout: 30_000 });
    honest.send(connectPacket(4));
    await honest.expect('20 02 00 00');
    assert.ok(broker.status().guard.handshakes.abandoned > 0);

    honest.end();
  });

  it('on one connection, by renegotiation, is refused at the first', async (t) => {
    let ca = '';
    const { port, stop } = await startBroker(
      { listeners: [{ protocol: 'mqtts', bind: '127.0.0.1', port: 0, tls_version: 'tlsv1.2' }] },
      { prepare: async (directory) => ({ ca } = await TestAuthority.create(directory)) },
    );
    t.after(stop);
    const tls = { ca, servername: 'localhost', maxVersion: 'TLSv1.2' } as const;
    const client = await RawClient.connect(port, { tls });
    client.send(connectPacket(4));
    await client.expect('20 02 00 00');
    const socket = client.socket as TLSSocket;
    const refused = new Promise((resolve) => socket.once('error', resolve));
    socket.renegotiate({}, (error) => assert.ok(error, 'the broker has begun anew'));
    assert.match(String(await refused), /no renegotiation/);
    client.end();
  });
});

describe('A flood of SUBSCRIBE', () => {
  const filtersOf = (round: number, wildcards: boolean): Record<string, number> =>
    Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [
        `${wildcards ? '+/' : ''}f/${round}/${index}${wildcards ? '/#' : ''}`,
        0,
      ]),
    );

  it('of 100,000 filters ends at the limits, of wildcards before that, and what comes and goes leaves nothing behind', async (t) => {
    const { port, stop, broker } = await startBroker({ limits: { max_subscribe_rate: 1_000_000_000 } });
    t.after(stop);
    const bystander = await connected(port, 5);
    const flood = async (rounds: number): Promise<void> => {
      const client = await connected(port, 5);
      const granted = { plain: 0, wildcards: 0 };
      for (let round = 0; round < rounds; round++) {
        const kind = round < 5 ? 'wildcards' : 'plain';
        client.send(subscribe(5, 1, filtersOf(round, kind === 'wildcards')));
        const codes = (await readPacket(client)).slice(-2_000);
        granted[kind] += codes.match(/../g)?.filter((code) => code === '00').length ?? 0;
        assert.match(codes, /^(00)*(97)*$/);
      }
      assert.deepEqual(granted, { plain: 800, wildcards: 200 });
      assert.equal(broker.status().subscriptions, 1_000);
      await ping(bystander);
      for (let round = 0; round < 20; round++) {
        client.send(unsubscribe(5, 2, ...Object.keys(filtersOf(round < 3 ? 0 : 5, round < 3)).slice(0, 200)));
        client.send(subscribe(5, 3, Object.fromEntries(Object.entries(filtersOf(5, false)).slice(0, 200))));
        assert.match(await readPacket(client), /^b0/);
        assert.match(await readPacket(client), /^90/);
      }
      client.end();
      await waitFor(() => broker.status().subscriptions === 0);
    };
    await flood(20);
    const before = await memoryInUse();
    await flood(100);
    assert.ok((await memoryInUse()) - before < 2 * MiB);
    bystander.end();
  });
});

describe('A flood of what is kept', () => {
  it('retained topics without end: refused at the limit, and memory stands still', async (t) => {
    const { port, stop, broker } = await startBroker({ limits: { max_retained_messages: 1_000 } });
    t.after(stop);
    const client = await connected(port, 5);
    const flood = async (from: number): Promise<void> => {
      let packets = '';
      for (let count = 0; count < 20_000; count++)
        packets += publish(5, `r/${from + count}`, 'x'.repeat(40), { retain: true });
      client.send(packets);
      client.send(publish(5, `r/${from}/last`, 'x', { retain: true, qos: 1, packetId: 7 }));
      await client.expect('40 03 0007 97');
      assert.equal(broker.status().retained.messages, 1_000);
    };
    await flood(0);
    const before = await memoryInUse();
    await flood(1_000_000);
    assert.ok((await memoryInUse()) - before < 2 * MiB);
    client.end();
  });

  it('a large will to be retained for each connection: kept up to the limit, and gone with their connections', async (t) => {
    const { port, stop, broker } = await startBroker({
      limits: { max_retained_messages: 50, max_will_bytes_per_user: 16 * MiB },
    });
    t.after(stop);
    const bystander = await connected(port, 5);
    const flood = async (): Promise<void> => {
      const clients: RawClient[] = [];
      for (let index = 0; index < 100; index++)
        clients.push(await connected(port, 5, { will: will(5, `w/${index}`, 'x'.repeat(50_000), { retain: true }) }));
      for (const client of clients) client.socket.destroy();
      await waitFor(() => broker.status().connections === 1, { timeout: 30_000 });
      assert.equal(broker.status().retained.messages, 50);
    };
    await flood();
    const before = await memoryInUse();
    await flood();
    assert.ok((await memoryInUse()) - before < 3 * MiB);
    await ping(bystander);
    bystander.end();
  });
});
