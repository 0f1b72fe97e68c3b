import { join } from 'node:path';
import { openLmdbStore, type QueueEntry } from '@moat/broker/store';

/** What a store is filled with: devices that are away, and what topics have to tell. */
export interface FleetSize {
  readonly sessions: number;
  readonly retained: number;
  /** Messages that wait for each session. */
  readonly queued: number;
}

/** What each session is subscribed to, below a topic of its own. */
export const filters = [
  'command',
  'config',
  'firmware',
  'time',
  'alarm',
  'status',
  'mode',
  'limits',
  'log',
  'reboot',
] as const;

const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0, identifier: 0 } as const;
/** Seconds: a week. */
const expiryInterval = 604_800;
const operationsInACommit = 20_000;

/** Each payload begins so: it can be looked for in a process's memory. */
export const payloadMark = Buffer.from('moat bench retained payload ');
const payloadBytes = 64;

/** Makes the store of a broker whose data directory this is. */
export async function fillStore(dataDirectory: string, { sessions, retained, queued }: FleetSize): Promise<void> {
  const store = await openLmdbStore(join(dataDirectory, 'store'));
  const begun = store.staged;
  let committed = begun;
  const settle = async (): Promise<void> => {
    if (store.staged - committed < operationsInACommit) return;
    await store.commit();
    committed = store.staged;
  };
  try {
    for (let device = 0; device < sessions; device++) {
      const clientId = `device-${device}`;
      const owner = `user:${clientId}`;
      store.putSession({ clientId, owner, expiryInterval, disconnectedAt: Date.now(), will: undefined, sentUpTo: 0 });
      for (const name of filters)
        store.putSubscription(clientId, { filter: `devices/${clientId}/${name}`, ...options });
      for (let position = 1; position <= queued; position++) store.enqueue(clientId, commandTo(clientId, position));
      await settle();
    }
    for (let number = 0; number < retained; number++) {
      const device = number % Math.max(1, sessions);
      const publisher = `device-${device}`;
      const topic = `devices/${publisher}/state/${Math.floor(number / Math.max(1, sessions))}`;
      const payload = Buffer.alloc(payloadBytes, '.');
      payloadMark.copy(payload);
      payload.writeUInt32BE(number, payloadBytes - 4);
      const expiresAt = Number.POSITIVE_INFINITY;
      const message = { topic, payload, qos: 1, retain: true, properties: undefined, expiresAt, publisher } as const;
      store.putRetained(message, `user:${publisher}`);
      await settle();
    }
    await store.commit();
  } finally {
    await store.close();
  }
}

/** A message that waits. */
function commandTo(clientId: string, position: number): QueueEntry {
  const message = {
    topic: `devices/${clientId}/command`,
    payload: Buffer.alloc(payloadBytes, '.'),
    qos: 1,
    retain: false,
    properties: undefined,
    expiresAt: Number.POSITIVE_INFINITY,
    publisher: 'operator',
  } as const;
  const target = { subscriptionIdentifiers: undefined, sharedFilter: undefined };
  return { position, message, qos: 1, retain: false, state: 'queued', ...target };
}
