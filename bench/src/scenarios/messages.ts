/** Messages through the broker: saturated by windows, and paced. */

import { LoadProcess, type QoS, type TrafficPlan } from '@moat/cli/load';
import { cpuMicros, residentBytes } from '@moat/testkit';
import type { Broker } from '../peer/peer.js';
import type { Effort, Floor, Sample, Scenario } from '../scenario.js';

type Shape = Omit<TrafficPlan, 'kind' | 'target'>;

/** Messages on their way in all, QoS 0: enough that the broker always finds some, few enough that no queue overflows. */
const qos0Window = 2000;
const qos12Window = 20;

const shapes = {
  '1-1': shape(1, 1),
  'topics-1-1': { ...shape(1, 1), topics: 1000 },
  '10-10': shape(10, 10),
  '1-500': { ...shape(1, 500), window: 200 },
  '100-1': shape(100, 1),
  'qos1-1-1': shape(1, 1, 1),
  'qos1-10-10': shape(10, 10, 1),
  'qos2-1-1': shape(1, 1, 2),
  'qos2-10-10': shape(10, 10, 2),
  '16k-1-1': { ...shape(1, 1), payloadBytes: 16_384, window: 64 },
  paced: { ...shape(200, 200), perSecond: 15_000, window: 64 },
} satisfies Record<string, Shape>;

type ShapeName = keyof typeof shapes;

const titles: Record<ShapeName, string> = {
  '1-1': '1 → 1',
  'topics-1-1': '1 → 1, 1,000 topics in turn',
  '10-10': '10 → 10, in pairs',
  '1-500': '1 → 500',
  '100-1': '100 → 1',
  'qos1-1-1': 'QoS 1, 1 → 1',
  'qos1-10-10': 'QoS 1, 10 → 10',
  'qos2-1-1': 'QoS 2, 1 → 1',
  'qos2-10-10': 'QoS 2, 10 → 10',
  '16k-1-1': '16 KiB, 1 → 1',
  paced: 'paced, 200 pairs, 15,000/s',
};

/** Shares of Mosquitto's CPU per delivered message that Moat may take. */
const plainFloors: Partial<Record<ShapeName, number>> = {
  '1-1': 1 / 12,
  '10-10': 1 / 8,
  '1-500': 1 / 12,
  '100-1': 1 / 6,
  'qos1-1-1': 1 / 4,
  'qos1-10-10': 1 / 4,
  'qos2-1-1': 1 / 4,
  'qos2-10-10': 1 / 4,
  '16k-1-1': 1 / 2,
  paced: 1.2,
};
const secureFloors: Partial<Record<ShapeName, number>> = { '1-1': 1 / 8, 'qos1-1-1': 1 / 6 };

export const messageScenarios: readonly Scenario[] = [false, true].flatMap((secure) =>
  (Object.keys(shapes) as ShapeName[]).map((name) => messageScenario(name, secure)),
);

function messageScenario(name: ShapeName, secure: boolean): Scenario {
  return {
    name: secure ? `tls-${name}` : name,
    group: secure ? 'Messages, TLS 1.3' : 'Messages, plain TCP',
    title: titles[name],
    floors: [
      ...mosquittoFloors(name, secure),
      { metric: 'cpu', against: 'aedes', atMost: name === 'paced' ? 1 / 2 : 1 / 5 },
    ],
    measure: (broker, effort) => measure(broker, secure, shapes[name], effort),
  };
}

function mosquittoFloors(name: ShapeName, secure: boolean): Floor[] {
  const share = (secure ? secureFloors : plainFloors)[name];
  const floors: Floor[] = share === undefined ? [] : [{ metric: 'cpu', against: 'mosquitto', atMost: share }];
  if (name === 'paced' && !secure) floors.push({ metric: 'p99', against: 'mosquitto', atMost: 1 });
  return floors;
}

function shape(publishers: number, subscribers: number, qos: QoS = 0): Shape {
  const window = qos === 0 ? qos0Window / publishers : qos12Window;
  return { publishers, subscribers, qos, payloadBytes: 64, window };
}

/**
 * The paced load brings a tenth of the messages in the same time: V8 counts them before it compiles, and of few messages
 * a single pause is a hundredth.
 */
function timesAsLong({ perSecond }: Shape): number {
  return perSecond === undefined ? 1 : 3;
}

/** Broker CPU is read while nothing is on its way, before and after, so it belongs to exactly the messages counted. */
async function measure(broker: Broker, secure: boolean, plan: Shape, effort: Effort): Promise<Sample> {
  const times = timesAsLong(plan);
  const load = await LoadProcess.open({ kind: 'traffic', target: secure ? broker.secure : broker.plain, ...plan });
  try {
    await load.run(times * effort.warmUpMs);
    const before = cpuMicros(broker.pids);
    const { delivered, expected, elapsedMs, latency } = await load.run(times * effort.durationMs);
    const cpu = cpuMicros(broker.pids) - before;
    const memory = residentBytes(broker.pids);
    if (delivered !== expected) throw new Error(`invalid: ${delivered} of ${expected} messages were delivered`);
    return {
      cpu: cpu / delivered,
      perSecond: (delivered / elapsedMs) * 1000,
      p50: latency.p50,
      p99: latency.p99,
      memory,
      busy: cpu / 1000 / elapsedMs,
    };
  } finally {
    load.kill();
  }
}
