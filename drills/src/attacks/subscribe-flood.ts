import { fromHex } from '@moat/testkit';
import { publish, subscribe, unsubscribe } from '@moat/testkit/packets';
import type { Drill, Run } from '../drill.js';
import { pour } from '../torrent.js';
import { within } from '../within.js';

/** Filters of one SUBSCRIBE. */
const perPacket = 100;
/** How deep the wildcards go: as many levels as there are bits. */
const levels = 16;

/** So many filters, from the `first` on, that are all different. */
type Filters = (first: number) => string[];

async function run({ broker, amount, signal, report }: Run): Promise<void> {
  const { topic } = broker.insider;
  const many =
    (name: (index: number) => string): Filters =>
    (first) =>
      Array.from({ length: perPacket }, (_, index) => `${topic}/${name(first + index)}`);
  const plain = many((index) => `f${index}`);
  const wild = many((index) => wildcards(index));
  const shapes: readonly (readonly [what: string, packets: (first: number) => string])[] = [
    ['filters of which no two are alike', (first) => take(plain(first))],
    [
      'wildcards at every level, and messages that match them',
      (first) => take(wild(first)) + publish(4, `${topic}/${'a/'.repeat(levels)}a`, 'storm').repeat(10),
    ],
    ['subscribe and unsubscribe in turns', (first) => take(plain(first)) + unsubscribe(4, 2, ...plain(first))],
  ];
  for (const [index, [what, packets]] of shapes.entries()) {
    let sent = 0;
    const next = (): Uint8Array | undefined => {
      if (sent >= amount.count) return undefined;
      const bytes = fromHex(packets(sent));
      sent += perPacket;
      return bytes;
    };
    const own = within(signal, amount.seconds / shapes.length);
    const { connections } = await pour(broker, { name: `subscribe${index}`, from: index, signal: own, next });
    report({
      tried: `${what}, as fast as they are taken`,
      happened: `${sent} filters on ${connections} connections`,
      survived: true, // as the others will tell
    });
  }
}

function take(filters: readonly string[]): string {
  return subscribe(4, 1, Object.fromEntries(filters.map((filter) => [filter, 0])));
}

/** One of the many ways to put `+` in place of some levels. */
function wildcards(index: number): string {
  const level = (bit: number): string => ((index >> bit) & 1 ? '+' : 'a');
  return `${Array.from({ length: levels }, (_, bit) => level(bit)).join('/')}/${index >> levels === 0 ? '#' : `+/${index}`}`;
}

export const subscribeFlood: Drill = {
  name: 'subscribe-flood',
  summary:
    'One client subscribes to more than anybody could need, storms with wildcards, and changes its mind all the time',
  seenIn: 'brokers without a bound for the subscriptions of a client',
  unit: 'filters of each kind',
  intensity: { small: { count: 2_000, seconds: 2 }, full: { count: 100_000, seconds: 45 } },
  workload: { connects: 0.99, messages: 0.95, growthMiB: 256, remains: 0.1 },
  cheapPasswords: true,
  needs: 'address',
  run,
};
