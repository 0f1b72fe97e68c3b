import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '@moat/testkit';
import { Drain } from '../../dist/load/drain.js';
import { Traffic, type TrafficPlan } from '../../dist/load/traffic.js';
import { startTarget } from './mosquitto.js';

const base = { kind: 'traffic', publishers: 1, subscribers: 1, qos: 0, payloadBytes: 64, window: 50 } as const;

const shapes: Record<string, Partial<TrafficPlan>> = {
  'QoS 0, one to one': {},
  'QoS 1, one to one': { qos: 1, window: 20 },
  'QoS 2, one to one': { qos: 2, window: 20 },
  'QoS 2, three pairs': { publishers: 3, subscribers: 3, qos: 2, window: 20 },
  'one to five': { subscribers: 5 },
  'five to one': { publishers: 5 },
  'payloads larger than one read': { payloadBytes: 200_000, window: 4 },
  'many topics': { topics: 1000 },
  'to stored sessions': { publishers: 3, subscribers: 3, qos: 1, window: 20, sessions: 'stored' },
  'a steady pace': { publishers: 4, subscribers: 4, perSecond: 500 },
};

for (const [name, shape] of Object.entries(shapes)) {
  test(`every message arrives once: ${name}`, { ...needs('mosquitto'), timeout: 30_000 }, async (t) => {
    const { target } = await startTarget(t);
    const traffic = await Traffic.open({ ...base, ...shape, target });
    const first = await traffic.run(100);
    const second = await traffic.run(100);
    await traffic.close();

    for (const result of [first, second]) {
      assert.ok(result.sent > 0);
      assert.equal(result.expected, result.sent * (shape.subscribers === 5 ? 5 : 1));
      assert.equal(result.delivered, result.expected);
      assert.ok(result.latency.samples > 0);
      assert.ok(result.latency.p50 > 0 && result.latency.p50 <= result.latency.p99);
    }
  });
}

for (const qos of [1, 2] as const) {
  const title = `what is queued while subscribers are away arrives once when they return: QoS ${qos}`;
  test(title, { ...needs('mosquitto'), timeout: 30_000 }, async (t) => {
    const { target } = await startTarget(t);
    const pairs = { publishers: 3, subscribers: 3, qos, window: 20, target } as const;
    const traffic = await Traffic.open({ ...base, ...pairs, sessions: 'away' });
    const { sent, expected, acknowledgement } = await traffic.run(100);
    await traffic.close();
    assert.ok(sent > 0);
    assert.equal(expected, 0);
    assert.ok(acknowledgement.samples > 0 && acknowledgement.p50 > 0);

    const drain = new Drain({ kind: 'drain', target, subscribers: 3, payloadBytes: base.payloadBytes });
    const { delivered } = await drain.run(sent);
    await drain.close();
    assert.equal(delivered, sent);
  });
}

test('messages that a broker withholds are missed', { ...needs('mosquitto'), timeout: 30_000 }, async (t) => {
  const { target } = await startTarget(t, 'topic write bench/#\ntopic read bench/0/#\n');
  const traffic = await Traffic.open({ ...base, publishers: 2, subscribers: 2, target });
  const { expected, delivered, sent } = await traffic.run(100);
  await traffic.close();

  assert.equal(expected, sent);
  assert.equal(delivered, expected - base.window);
});

test('a broker that ends during a run fails the run', { ...needs('mosquitto'), timeout: 30_000 }, async (t) => {
  const broker = await startTarget(t);
  const traffic = await Traffic.open({ ...base, target: broker.target });
  const run = traffic.run(20_000);
  broker.process.kill('SIGKILL');
  await assert.rejects(run, /closed the connection|ECONNRESET|EPIPE/);
});
