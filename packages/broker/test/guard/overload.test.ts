import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { waitFor } from '@moat/testkit';
import fc from 'fast-check';
import { collectGarbage } from '../../dist/collect-garbage.js';
import { Overload, type Pressure } from '../../dist/guard/overload.js';
import { connected, ping, readPacket, silent, startBroker } from '../support/broker.js';
import { publish, subscribe } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const limits: Pressure = { delay: 100, memory: 1_000, buffered: 1_000 };
const at = (severity: number): Pressure => ({ delay: 0, memory: 0, buffered: severity * 1_000 });

describe('The steps of an overload', () => {
  it('are taken one by one, and left in order, each after a calm while', () => {
    const overload = new Overload();
    const changes = [0.9, 1, 1, 1.2, 5, 5, 5].map((severity) => overload.look(at(severity), limits));
    assert.deepEqual(changes, [
      {},
      { entered: 'refuse' },
      {},
      { entered: 'pause' },
      { entered: 'drop' },
      { entered: 'disconnect' },
      {},
    ]);
    const calm = Array.from({ length: 32 }, () => overload.look(at(0), limits).left).filter(Boolean);
    assert.deepEqual(calm, ['disconnect', 'drop', 'pause', 'refuse']);
    assert.equal(overload.steps, 0);
  });

  it('are not left where it only swings about the limit', () => {
    const overload = new Overload();
    overload.look(at(1), limits);
    for (let look = 0; look < 100; look++)
      assert.deepEqual(overload.look(at(look % 2 === 0 ? 0.85 : 0.95), limits), {});
    assert.equal(overload.has('refuse'), true);
  });

  it('are taken for the loop and for memory, too', () => {
    for (const pressure of [
      { ...at(0), delay: 100 },
      { ...at(0), memory: 1_000 },
    ])
      assert.deepEqual(new Overload().look(pressure, limits), { entered: 'refuse' });
  });

  it('change by one at most, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { maxLength: 200 }), (severities) => {
        const overload = new Overload();
        for (const severity of severities) {
          const before = overload.steps;
          const { entered, left } = overload.look(at(severity), limits);
          assert.equal(overload.steps - before, Number(entered !== undefined) - Number(left !== undefined));
          assert.ok(overload.steps >= 0 && overload.steps <= 4);
        }
      }),
    );
  });
});

describe('A broker for whose clients too much waits', () => {
  it('refuses newcomers, pauses who sends most, disconnects who does not read, and comes back in order', async (t) => {
    const changes: string[] = [];
    const { broker, port, stop } = await startBroker(
      { limits: { max_buffered_bytes: 1_000_000, max_outgoing_buffer: 8_000_000, stuck_timeout: 60 } },
      {
        log: {
          ...silent,
          info: ({ event, action }: { event?: string; action?: string }) => {
            if (event?.startsWith('overload.')) changes.push(`${event.slice(9)} ${action}`);
          },
        },
      },
    );
    t.after(stop);
    const bystander = await connected(port, 5);
    const [greedy, deaf] = [await connected(port, 5), await connected(port, 5)];
    deaf.send(subscribe(5, 1, { flood: 0 }));
    await readPacket(deaf);
    deaf.socket.pause();
    const load = Buffer.from(publish(5, 'flood', 'x'.repeat(60_000)), 'hex');
    const flood = setInterval(() => greedy.socket.writableLength === 0 && greedy.send(load), 1);
    t.after(() => clearInterval(flood));
    await waitFor(() => changes.includes('entered refuse'));
    const refused = await RawClient.connect(port);
    await refused.rest();
    await waitFor(() => broker.status().guard.overload.disconnected > 0, { timeout: 20_000 });
    clearInterval(flood);
    await ping(bystander);
    await waitFor(() => broker.status().guard.overload.steps.length === 0, { timeout: 30_000 });
    assert.deepEqual(changes.filter((change) => change.startsWith('entered')).slice(0, 4), [
      'entered refuse',
      'entered pause',
      'entered drop',
      'entered disconnect',
    ]);
    assert.deepEqual(changes.filter((change) => change.startsWith('left')).slice(-4), [
      'left disconnect',
      'left drop',
      'left pause',
      'left refuse',
    ]);
    const { entered, paused, pressure } = broker.status().guard.overload;
    assert.ok(entered.refuse > 0 && paused > 0);
    assert.ok(pressure.buffered < 1_000_000);
    (await connected(port, 5)).end();
    for (const client of [bystander, greedy, deaf]) client.end();
  });
});

describe('A broker of whose memory too much is in use', () => {
  it('refuses newcomers, and lets them in again once it is free', async (t) => {
    const { heap_size_limit: limit, used_heap_size: used } = getHeapStatistics();
    const percent = limit / 100;
    const share = Math.ceil(used / percent) + 2;
    const { broker, port, stop } = await startBroker({ limits: { max_memory_share: share } });
    t.after(stop);
    (await connected(port, 5)).end();
    const { overload } = broker.status().guard;
    assert.ok(overload.pressure.memory < share && overload.steps.length === 0);

    let ballast: number[][] = [];
    while (getHeapStatistics().used_heap_size < (share + 1) * percent) ballast.push(new Array(1e6).fill(0.5));
    await waitFor(() => broker.status().guard.overload.steps.includes('refuse'));
    assert.ok(broker.status().guard.overload.pressure.memory >= share);
    const refused = await RawClient.connect(port);
    await refused.rest();

    ballast = [];
    collectGarbage();
    await waitFor(() => broker.status().guard.overload.steps.length === 0, { timeout: 30_000 });
    assert.ok(broker.status().guard.overload.pressure.memory < share);
    (await connected(port, 5)).end();
  });
});
