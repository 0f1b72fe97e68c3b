import { forever } from '../plan.js';
import type { ClientEvent, Timed } from '../record/event.js';
import type { ClientRecord, Fault, History, Sent } from './history.js';
import { holds, type Subscribed, subscriptionsOf, touches } from './subscriptions.js';

type Arrived = Extract<Timed<ClientEvent>, { e: 'arrived' }>;

const sharedFilter = /^\$share\/[^/]+\//;

/** Filters of the torture are of the form `a/#` or `$share/g/a/#`. */
export function matches(filter: string, topic: string): boolean {
  return `${topic}/`.startsWith(filter.replace(sharedFilter, '').slice(0, -1));
}

const isShared = (filter: string): boolean => sharedFilter.test(filter);
const nameOf = ({ from, n }: { from: string; n: number }): string => `${from} ${n}`;

/** What one client got, and what it was subscribed to. A clean session is nobody's memory: each is a receiver apart. */
interface Receiver {
  readonly client: string;
  /** Whether its session may end before it has got everything. */
  readonly mayEnd: boolean;
  readonly arrived: readonly Arrived[];
  /** When it was told that it has a new session. */
  readonly renewed: readonly number[];
  readonly counts: ReadonlyMap<string, number>;
  readonly subscriptions: ReadonlyMap<string, Subscribed>;
}

/**
 * Messages arrive in order, those of QoS 2 once, at those who were subscribed and at nobody else; none is missing that
 * was acknowledged.
 */
export function checkDeliveries(history: History): Fault[] {
  const receivers = history.plans.flatMap(({ id, expiry }) => {
    const events = history.records.get(id) ?? [];
    return (expiry === 0 ? connections(events) : [events]).map((each) => receiverOf(id, expiry, each));
  });
  const faults: Fault[] = [];
  for (const receiver of receivers) {
    faults.push(...twice(receiver), ...outOfOrder(history, receiver), ...unwanted(history, receiver, receivers));
    for (const [filter, subscribed] of receiver.subscriptions)
      if (!isShared(filter)) faults.push(...missing(history, filter, subscribed, [receiver]));
  }
  for (const filter of new Set(receivers.flatMap(({ subscriptions }) => [...subscriptions.keys()])))
    if (isShared(filter)) faults.push(...checkGroup(history, filter, receivers));
  return faults;
}

function receiverOf(client: string, expiry: number, events: ClientRecord): Receiver {
  const arrived = events.filter((event) => event.e === 'arrived' && !event.retain) as Arrived[];
  const counts = new Map<string, number>();
  for (const each of arrived) counts.set(nameOf(each), (counts.get(nameOf(each)) ?? 0) + 1);
  const renewed = events.filter((event) => event.e === 'connected' && !event.present).map(({ at }) => at);
  return { client, mayEnd: expiry !== forever, arrived, renewed, counts, subscriptions: subscriptionsOf(events) };
}

/** A record, cut where a connection begins, which is the end of the one before. */
function connections(events: ClientRecord): ClientRecord[] {
  const starts = [...events.keys()].filter((index) => events[index]?.e === 'connecting');
  return starts.map((start, index) => events.slice(start, (starts[index + 1] ?? events.length) + 1));
}

function twice({ client, arrived, counts }: Receiver): Fault[] {
  const faults: Fault[] = [];
  for (const message of arrived) {
    const count = counts.get(nameOf(message)) ?? 0;
    if (message.qos !== 2 || count === 1) continue;
    faults.push({
      rule: 'QoS 2 once',
      client,
      text: `got ${nameOf(message)} ${count} times, one of them at ${message.at}`,
    });
  }
  return faults;
}

/**
 * By publisher, topic and QoS, within a session; a message that comes again counts where it came first. What comes again to a shared
 * subscription may come first to another member; and what was sent before the subscription was there may come when it is
 * sent again, behind others.
 */
function outOfOrder(history: History, { client, arrived, renewed, subscriptions }: Receiver): Fault[] {
  if ([...subscriptions.keys()].some(isShared)) return [];
  const faults: Fault[] = [];
  const wasSubscribed = ({ from, n, topic }: Arrived): boolean => {
    const sent = history.sent.get(from)?.get(n);
    return (
      sent === undefined ||
      [...subscriptions].some(([filter, { told }]) => matches(filter, topic) && holds(told, sent.at, sent.at))
    );
  };
  const seen = new Set<string>();
  const last = new Map<string, number>();
  let session = 0;
  for (const message of arrived) {
    for (; (renewed[session] ?? Number.POSITIVE_INFINITY) < message.at; session++) {
      seen.clear();
      last.clear();
    }
    if (seen.has(nameOf(message))) continue;
    seen.add(nameOf(message));
    const { from, topic, qos, n, at } = message;
    const flow = `${from} ${topic} ${qos}`;
    const before = last.get(flow) ?? 0;
    if (n < before && wasSubscribed(message))
      faults.push({ rule: 'order', client, text: `got ${from} ${n} behind ${before}, at ${at}` });
    last.set(flow, Math.max(before, n));
  }
  return faults;
}

/**
 * What nobody sent, or what came of no subscription. Wills are judged elsewhere. A message that waits for a member of a shared
 * subscription goes, when that one's session ends, to one that is there then, whenever it subscribed.
 */
function unwanted(history: History, receiver: Receiver, all: readonly Receiver[]): Fault[] {
  const { client, arrived, subscriptions } = receiver;
  const faults: Fault[] = [];
  const had = (one: Receiver, filter: string, from: number, to: number): boolean =>
    touches(one.subscriptions.get(filter)?.possible ?? [], from, to);
  for (const message of arrived) {
    const sent = history.sent.get(message.from)?.get(message.n);
    if (message.topic.startsWith('w/')) continue;
    if (sent?.topic !== message.topic) {
      faults.push({ rule: 'foreign', client, text: `got ${nameOf(message)} on ${message.topic}, which nobody sent` });
      continue;
    }
    const { at, doneAt } = sent;
    const wanted = [...subscriptions.keys()].some(
      (filter) =>
        matches(filter, message.topic) &&
        (had(receiver, filter, at, doneAt) ||
          (isShared(filter) &&
            had(receiver, filter, at, message.at) &&
            all.some((member) => had(member, filter, at, doneAt)))),
    );
    if (wanted) continue;
    const text = `got ${nameOf(message)}, sent at ${at}, without a subscription, at ${message.at}`;
    faults.push({ rule: 'unsubscribed', client, text });
  }
  return faults;
}

/** Acknowledged messages that none of the receivers got, though one was certainly subscribed. */
function missing(history: History, filter: string, { certain }: Subscribed, receivers: readonly Receiver[]): Fault[] {
  if (certain.length === 0) return [];
  const faults: Fault[] = [];
  // What was sent of QoS 2 to a member of a shared subscription goes to no other when its session ends.
  const most = receivers.length > 1 && receivers.some(({ mayEnd }) => mayEnd) ? 1 : 2;
  const due = ({ topic, qos, at, doneAt, empty }: Sent): boolean =>
    qos > 0 &&
    qos <= most &&
    !empty &&
    doneAt !== Number.POSITIVE_INFINITY &&
    matches(filter, topic) &&
    holds(certain, at, doneAt);
  for (const messages of history.sent.values())
    for (const message of messages.values()) {
      if (!due(message) || receivers.some(({ counts }) => counts.has(nameOf(message)))) continue;
      const text = `missed ${nameOf(message)} of QoS ${message.qos} on ${message.topic}, acknowledged at ${message.doneAt}`;
      const client = receivers.map((receiver) => receiver.client).join(', ');
      faults.push({ rule: 'missing', client, text });
    }
  return faults;
}

/** A message goes to one member of a shared subscription: of QoS 2 to one only. */
function checkGroup(history: History, filter: string, receivers: readonly Receiver[]): Fault[] {
  const members = receivers.filter(({ subscriptions }) => subscriptions.has(filter));
  const faults: Fault[] = [];
  for (const { subscriptions } of members) {
    const subscribed = subscriptions.get(filter);
    if (subscribed !== undefined) faults.push(...missing(history, filter, subscribed, members));
  }
  const first = new Map<string, string>();
  for (const { client, arrived } of members)
    for (const message of arrived) {
      if (message.qos !== 2 || !matches(filter, message.topic)) continue;
      const other = first.get(nameOf(message)) ?? client;
      first.set(nameOf(message), other);
      if (other !== client)
        faults.push({ rule: 'QoS 2 once', client, text: `got ${nameOf(message)}, which ${other} got as well` });
    }
  return faults;
}
