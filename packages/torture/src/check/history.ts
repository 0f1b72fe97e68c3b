import type { ClientPlan } from '../plan.js';
import type { BrokerEvent, ClientEvent, Sending, Timed } from '../record/event.js';

/** A message, or the will of a connection, by when it may have been taken and when it certainly was. */
export interface Sent extends Omit<Sending, 'id'> {
  readonly from: string;
  /** Before that the broker did not have it. */
  readonly at: number;
  /** From then on the broker has answered for it; Infinity when it never said so. */
  readonly doneAt: number;
}

/** A time in which the broker was ready; `to` is when it was sent a signal, Infinity when it never was. */
interface Life {
  readonly from: number;
  readonly to: number;
}

/** A time in which the disk was full, or the broker may not have noticed yet that it is not. */
interface Full {
  readonly from: number;
  readonly to: number;
}

export type ClientRecord = readonly Timed<ClientEvent>[];

/** All that was recorded of a torture. */
export interface History {
  readonly plans: readonly ClientPlan[];
  readonly records: ReadonlyMap<string, ClientRecord>;
  readonly lives: readonly Life[];
  readonly full: readonly Full[];
  /** By sender and number. */
  readonly sent: ReadonlyMap<string, ReadonlyMap<number, Sent>>;
}

/** Something that must not be. */
export interface Fault {
  readonly rule: string;
  readonly client?: string;
  readonly text: string;
}

export function historyOf(
  plans: readonly ClientPlan[],
  records: ReadonlyMap<string, ClientRecord>,
  broker: readonly Timed<BrokerEvent>[],
): History {
  const sent = new Map<string, Map<number, Sent>>();
  for (const [from, events] of records) sent.set(from, sentBy(from, events));
  return { plans, records, lives: livesOf(broker), full: fullOf(broker), sent };
}

function sentBy(from: string, events: ClientRecord): Map<number, Sent> {
  const sent = new Map<number, Sent>();
  for (const event of events) {
    if (event.e === 'sending') {
      const { n, topic, qos, retain, empty, at } = event;
      sent.set(n, { from, n, topic, qos, retain, empty, at, doneAt: Number.POSITIVE_INFINITY });
    } else if (event.e === 'done') {
      const message = sent.get(event.n);
      if (message !== undefined) sent.set(event.n, { ...message, doneAt: event.at });
    }
  }
  return sent;
}

function livesOf(broker: readonly Timed<BrokerEvent>[]): Life[] {
  const lives: Life[] = [];
  for (const { e, at } of broker) {
    const last = lives.at(-1);
    if (e === 'ready') lives.push({ from: at, to: Number.POSITIVE_INFINITY });
    else if ((e === 'killed' || e === 'stopped') && last?.to === Number.POSITIVE_INFINITY)
      lives[lives.length - 1] = { from: last.from, to: at };
  }
  return lives;
}

/** So long a broker may take to notice that its disk has room again, in milliseconds. */
const recovering = 5_000;

function fullOf(broker: readonly Timed<BrokerEvent>[]): Full[] {
  const full: Full[] = [];
  for (const { e, at } of broker) {
    const last = full.at(-1);
    if (e === 'filled') full.push({ from: at, to: Number.POSITIVE_INFINITY });
    else if (e === 'freed' && last !== undefined) full[full.length - 1] = { from: last.from, to: at + recovering };
  }
  return full;
}

/** Whether the disk was full at some moment between the two. */
export function wasFull({ full }: History, from: number, to: number): boolean {
  return full.some((each) => each.from < to && each.to > from);
}

/** How late a session may end or a will be published, in milliseconds: timers are coarse, and machines busy. */
export const lateness = 1_500;

/** So long a broker may take to notice and keep that a connection has ended, in milliseconds. */
const settling = 1_000;

/**
 * The earliest moment from `at` on from which a broker was there for so long that it surely knew, and kept, what had
 * happened before; Infinity when there was none.
 */
export function surelyKnown(history: History, at: number): number {
  for (const { from, to } of history.lives) {
    const start = Math.max(from, at);
    if (to - start >= settling && !wasFull(history, start, start + settling)) return start;
  }
  return Number.POSITIVE_INFINITY;
}
