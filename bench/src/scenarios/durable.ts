/** Messages to stored sessions, by a broker that keeps its state on disk. */

import { LoadProcess, type QoS, type TrafficPlan, type TrafficResult } from '@moat/cli/load';
import { cpuMicros, residentBytes } from '@moat/testkit';
import type { Broker } from '../peer/peer.js';
import type { Effort, Floor, Sample, Scenario } from '../scenario.js';

const group = 'Messages to stored sessions';
const pairs = 100;
const payloadBytes = 64;
const shape = { kind: 'traffic', publishers: pairs, subscribers: pairs, payloadBytes, window: 20 } as const;

/** Messages that wait when the subscribers of a drained queue come back. */
const drained = 200_000;
/** Publishers are stopped by the clock: this long at a time, until enough wait. */
const fillMs = 250;

const onlineFloors: readonly Floor[] = [
  { metric: 'cpu', against: 'mosquitto', atMost: 1 },
  { metric: 'perSecond', against: 'nats', atLeast: 2 },
  { metric: 'perSecond', against: 'aedes', atLeast: 2 },
];
/** What one core is to acknowledge and to have on disk. */
const awayFloors: readonly Floor[] = [
  { metric: 'cpu', atMost: 1_000_000 / 50_000 },
  { metric: 'perSecond', atLeast: 50_000 },
];

export const durableScenarios: readonly Scenario[] = ([1, 2] as const).flatMap((qos) => [
  {
    name: `durable-qos${qos}`,
    group,
    title: `QoS ${qos}, online`,
    qos,
    floors: qos === 1 ? onlineFloors : [],
    measure: (broker, effort) => measureOnline(broker, qos, effort),
  },
  {
    name: `durable-qos${qos}-away`,
    group,
    title: `QoS ${qos}, away`,
    qos,
    floors: qos === 1 ? awayFloors : [],
    measure: (broker, effort) => measureAway(broker, qos, effort),
  },
  {
    name: `durable-qos${qos}-drained`,
    group,
    title: `QoS ${qos}, drained`,
    qos,
    floors: [],
    measure: (broker) => measureDrain(broker, qos),
  },
]);

async function measureOnline(broker: Broker, qos: QoS, effort: Effort): Promise<Sample> {
  return withLoad({ ...shape, target: broker.plain, qos, sessions: 'stored' }, async (load) => {
    await load.run(effort.warmUpMs);
    return sampleOf(broker, async () => {
      const result = await load.run(effort.durationMs);
      const { delivered, expected } = result;
      if (delivered !== expected) throw new Error(`invalid: ${delivered} of ${expected} messages were delivered`);
      return result;
    });
  });
}

async function measureAway(broker: Broker, qos: QoS, effort: Effort): Promise<Sample> {
  return withLoad({ ...shape, target: broker.plain, qos, sessions: 'away' }, async (load) => {
    await load.run(effort.warmUpMs);
    return sampleOf(broker, () => load.run(effort.durationMs));
  });
}

async function measureDrain(broker: Broker, qos: QoS): Promise<Sample> {
  const target = broker.plain;
  const waiting = await withLoad({ ...shape, target, qos, sessions: 'away' }, async (load) => {
    let sent = 0;
    while (sent < drained) sent += (await load.run(fillMs)).sent;
    return sent;
  });
  const load = await LoadProcess.open({ kind: 'drain', target, subscribers: pairs, payloadBytes });
  try {
    const before = cpuMicros(broker.pids);
    const { delivered, elapsedMs } = await load.run(waiting);
    const cpu = cpuMicros(broker.pids) - before;
    if (delivered !== waiting) throw new Error(`invalid: ${delivered} of ${waiting} messages were delivered`);
    return usage(broker, cpu, delivered, elapsedMs);
  } finally {
    load.kill();
  }
}

async function withLoad<T>(plan: TrafficPlan, use: (load: LoadProcess<'traffic'>) => Promise<T>): Promise<T> {
  const load = await LoadProcess.open(plan);
  try {
    return await use(load);
  } finally {
    load.kill();
  }
}

async function sampleOf(broker: Broker, run: () => Promise<TrafficResult>): Promise<Sample> {
  const before = cpuMicros(broker.pids);
  const { sent, elapsedMs, acknowledgement } = await run();
  const cpu = cpuMicros(broker.pids) - before;
  const { p50, p99 } = acknowledgement;
  return { ...usage(broker, cpu, sent, elapsedMs), p50, p99 };
}

function usage(broker: Broker, cpu: number, messages: number, elapsedMs: number): Sample {
  return {
    cpu: cpu / messages,
    perSecond: (messages / elapsedMs) * 1000,
    memory: residentBytes(broker.pids),
    busy: cpu / 1000 / elapsedMs,
  };
}
