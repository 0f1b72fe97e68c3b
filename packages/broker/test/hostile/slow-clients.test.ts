import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { memoryInUse } from '../support/memory.js';
import { connectPacket, publish, subscribe } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';

const MiB = 1_048_576;

describe('SlowITe, CVE-2020-13849', () => {
  const slots = 60;

  it('connections that never finish CONNECT, or ask for no keep-alive and fall silent, keep no slot from anybody', async (t) => {
    const { port, stop, broker } = await startBroker(
      { limits: { max_connections: slots, connect_timeout: 30, max_keepalive: 60 } },
      { files: { passwords: await passwordFile({ known: 'secret' }) } },
    );
    t.after(stop);
    const attackers: RawClient[] = [];
    t.after(() => {
      for (const attacker of attackers) attacker.end();
    });
    const attack = async (count: number): Promise<void> => {
      const attacker = await RawClient.connect(port);
      attacker.socket.resume();
      const connect = connectPacket(4, { keepAlive: count % 4 === 0 ? 0 : 65_535 });
      attacker.send(count % 2 === 0 ? connect : connect.slice(0, 20));
      attackers.push(attacker);
    };
    for (let count = 0; count < 2 * slots; count++) await attack(count);
    for (let count = 0; count < 20; count++) {
      for (let more = 0; more < 5; more++) await attack(count * 5 + more);
      const honest = await connected(port, count % 2 === 0 ? 4 : 5, { username: 'known', password: 'secret' });
      await ping(honest);
      honest.end();
    }
    const { evicted, connections } = broker.status().guard;
    assert.ok(connections <= slots);
    assert.ok(evicted.unfinished >= 20, 'room was made for each');
  });
});

describe('SlowTT', () => {
  it('a subscriber that reads a byte now and then under QoS 2 has a bounded queue; others get everything, memory is flat', async (t) => {
    const { port, stop, broker } = await startBroker({
      limits: { max_queued_bytes: MiB, max_outgoing_buffer: 65_536 },
    });
    t.after(stop);
    const [slow, swift, speaker] = await Promise.all([
      connected(port, 5, { clientId: 'slow' }),
      connected(port, 5, { clientId: 'swift' }),
      connected(port, 5, { clientId: 'speaker' }),
    ]);
    for (const client of [slow, swift]) {
      client.send(subscribe(5, 1, { news: 2 }));
      await readPacket(client);
    }
    slow.socket.removeAllListeners('data');
    slow.socket.pause();
    const trickle = setInterval(() => slow.socket.read(1), 20);
    t.after(() => clearInterval(trickle));
    const payload = 'x'.repeat(30_000);
    const say = async (times: number): Promise<void> => {
      for (let count = 1; count <= times; count++) {
        const id = (1 + (count % 60_000)).toString(16).padStart(4, '0');
        speaker.send(publish(5, 'news', payload, { qos: 2, packetId: Number.parseInt(id, 16) }));
        await speaker.expect(`50 02 ${id}`);
        speaker.send(`62 02 ${id}`);
        await speaker.expect(`70 02 ${id}`);
        const arrived = await readPacket(swift);
        const given = arrived.slice(20, 24);
        swift.send(`50 02 ${given}`);
        await swift.expect(`62 02 ${given}`);
        swift.send(`70 02 ${given}`);
      }
    };
    await say(200);
    const before = await memoryInUse();
    await say(200);
    assert.ok(broker.status().dropped.queue_full > 100, 'what does not fit is dropped');
    assert.ok((await memoryInUse()) - before < 2 * MiB);
    assert.ok(broker.status().guard.overload.buffered < 4 * MiB);
    for (const client of [slow, swift, speaker]) client.end();
  });
});
