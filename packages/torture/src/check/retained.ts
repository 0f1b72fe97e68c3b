import type { ClientEvent, Timed } from '../record/event.js';
import { matches } from './deliveries.js';
import type { ClientRecord, Fault, History, Sent } from './history.js';

type Arrived = Extract<Timed<ClientEvent>, { e: 'arrived' }>;

/** What is retained is the last acknowledged message of its topic, or one that was sent later. */
export function checkRetained(history: History): Fault[] {
  const byTopic = new Map<string, Sent[]>();
  for (const messages of history.sent.values())
    for (const message of messages.values()) {
      if (!message.retain) continue;
      const all = byTopic.get(message.topic);
      if (all === undefined) byTopic.set(message.topic, [message]);
      else all.push(message);
    }
  return history.plans.flatMap(({ id, reads }) =>
    reads === true ? checkReader(id, history.records.get(id) ?? [], byTopic) : [],
  );
}

function checkReader(client: string, events: ClientRecord, byTopic: ReadonlyMap<string, readonly Sent[]>): Fault[] {
  const faults: Fault[] = [];
  const filter = 'r/#';
  const subscribed = events.filter((event) => event.e === 'subscribing' && event.filter === filter);
  for (const [index, { at }] of subscribed.entries()) {
    const until = subscribed[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    const found = new Map<string, Arrived>();
    for (const event of events)
      if (event.e === 'arrived' && event.retain && event.at > at && event.at < until) found.set(event.topic, event);
    for (const [topic, messages] of byTopic) {
      if (!matches(filter, topic)) continue;
      const message = found.get(topic);
      // The last time everybody waits until all has come; before, a connection may have ended too early.
      if (message === undefined && until !== Number.POSITIVE_INFINITY) continue;
      if (messages.every(({ doneAt }) => doneAt > at) && message === undefined) continue;
      const acceptable = latest(messages, at);
      if (acceptable.some(({ n, empty }) => (message === undefined ? empty : n === message.n && !empty))) continue;
      const last = acceptable[0];
      const got = message === undefined ? 'nothing' : `number ${message.n}`;
      const text = `found ${got} on ${topic} at ${at}, where ${last?.n} had been acknowledged`;
      faults.push({ rule: 'retained', client, text });
    }
  }
  return faults;
}

/** The last that was acknowledged by then, and all behind it; all, when none was. */
function latest(messages: readonly Sent[], at: number): readonly Sent[] {
  const index = messages.findLastIndex(({ doneAt }) => doneAt < at);
  return messages.slice(Math.max(index, 0));
}
