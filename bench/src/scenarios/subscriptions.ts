import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Place, type Subscriber, SubscriptionTree } from '@moat/broker/routing';
import { judge } from '../outcome.js';
import type { Study } from '../study.js';

const many = 1_000_000;
const few = 1_000;
const matches = 200_000;
/** Bytes that a subscription may occupy, with its place in the session that has it. */
const mostBytes = 400;

const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 } as const;

/** What the devices of a fleet subscribe to: each a filter of its own, by device number. */
const shapes = {
  'devices/device-N/#': (device: number) => `devices/device-${device}/#`,
  'devices/device-N/status': (device: number) => `devices/device-${device}/status`,
  'site/S/+/device-N': (device: number) => `site/${device % 1000}/+/device-${device}`,
} as const;

/** A subscriber that keeps its subscriptions as a session does. */
class Device implements Subscriber {
  readonly stored = false;
  readonly available = true;
  places: Place[] = [];
  constructor(readonly clientId: string) {}
  deliver(): void {}
  mayReceive(): boolean {
    return true;
  }
}

/** One subscription for each of a million clients: what it occupies, and what finding those of a topic takes. */
export const subscriptionStudy: Study = {
  name: 'subscriptions',
  run() {
    const figures = Object.entries(shapes).map(([shape, filterOf]) => ({ shape, ...measure(filterOf) }));
    return {
      table: {
        title: 'One million subscriptions of distinct clients',
        head: ['filter', 'bytes each', 'match, µs', `match with ${few}, µs`],
        rows: figures.map(({ shape, bytes, match, matchWithFew }) => ({
          cells: [shape, bytes.toFixed(0), match.toFixed(2), matchWithFew.toFixed(2)],
        })),
      },
      verdicts: figures.map(({ shape, bytes }) => ({
        title: `one million subscriptions, ${shape}`,
        quantity: 'memory',
        ...judge({ atMost: mostBytes }, bytes, (value) => `${value.toFixed(0)} bytes each`),
      })),
    };
  },
};

function measure(filterOf: (device: number) => string): { bytes: number; match: number; matchWithFew: number } {
  const matchWithFew = timeMatches(subscribe(devicesUpTo(few), filterOf), few, filterOf);
  const devices = devicesUpTo(many);
  const before = usedHeap();
  const tree = subscribe(devices, filterOf);
  const bytes = (usedHeap() - before) / many;
  return { bytes, match: timeMatches(tree, many, filterOf), matchWithFew };
}

function devicesUpTo(count: number): Device[] {
  return Array.from({ length: count }, (_, index) => new Device(`device-${index}`));
}

function subscribe(devices: readonly Device[], filterOf: (device: number) => string): SubscriptionTree {
  const tree = new SubscriptionTree();
  for (const [index, device] of devices.entries()) {
    device.places = [tree.set(device, filterOf(index), options).place];
  }
  return tree;
}

/** Microseconds of CPU for each topic; every one has one subscriber. */
function timeMatches(tree: SubscriptionTree, devices: number, filterOf: (device: number) => string): number {
  const topics = Array.from({ length: matches }, (_, index) =>
    filterOf((index * 7919) % devices).replace(/[#+]/, 'temperature'),
  );
  const start = process.cpuUsage();
  let found = 0;
  for (const topic of topics) found += tree.match(topic).individual.length;
  const { user, system } = process.cpuUsage(start);
  if (found !== matches) throw new Error(`${found} of ${matches} topics found their subscriber`);
  return (user + system) / matches;
}

function usedHeap(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}
