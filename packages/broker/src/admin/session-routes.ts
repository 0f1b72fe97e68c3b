import type { PublishProperties } from '@moat/codec';
import { z } from 'zod';
import { OperatorError } from '../errors.js';
import { matchesGlob } from '../glob.js';
import type { SessionRegistry } from '../session/registry.js';
import type { Session } from '../session/session.js';
import type { Store } from '../storage/store.js';
import { jsonLines, unhurried } from './json-stream.js';
import { requestOf } from './request.js';
import type { AdminRoute } from './route.js';

/** A session in a list. Times are wall-clock milliseconds, intervals seconds, sizes bytes. */
export interface SessionSummary {
  readonly clientId: string;
  /** Key of the principal that it belongs to: `user:NAME`, or `anonymous`. */
  readonly owner: string;
  readonly connected: boolean;
  /** Undefined while it is connected. */
  readonly disconnectedAt: number | undefined;
  /** How long it lives without a connection; 4294967295 for ever. */
  readonly expiryInterval: number;
  readonly subscriptions: number;
  /** Messages that wait, and those on their way to the client. */
  readonly queued: number;
  readonly queuedBytes: number;
  readonly inFlight: number;
  /** Whether it outlives the broker. */
  readonly stored: boolean;
}

/** All that is known of a session. */
export interface SessionDetails extends SessionSummary {
  readonly filters: readonly { readonly filter: string; readonly qos: number; readonly identifier: number }[];
  /** QoS 2 messages of the client that await PUBREL. */
  readonly received: number;
  readonly will: { readonly topic: string; readonly qos: number; readonly delay: number } | undefined;
}

const wanted = z.strictObject({
  client_id: z.string().optional(),
  owner: z.string().optional(),
  connected: z.enum(['true', 'false']).optional(),
  idle: z.coerce.number().optional(),
  queued: z.coerce.number().optional(),
});
type Wanted = z.infer<typeof wanted>;

const one = z.strictObject({ client_id: z.string() });

/** So many entries of a queue are read at once. */
const atOnce = 500;

/** Looking at sessions and ending them, which is durable when it is answered. */
export function sessionRoutes(registry: SessionRegistry, store: Store): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/sessions',
      handle: ({ query }) => jsonLines(list(registry, requestOf(wanted, query))),
    },
    {
      method: 'DELETE',
      path: '/sessions',
      handle: async ({ query }) => {
        const filter = requestOf(wanted, query);
        if (Object.keys(filter).length === 0)
          throw new OperatorError('admin.invalid', 'say which sessions are to be deleted', {
            hint: 'all: client_id=*',
          });
        const deleted = await removeAll(registry, filter);
        await store.commit();
        return { deleted };
      },
    },
    {
      method: 'GET',
      path: '/session',
      handle: ({ query }) => detailsOf(find(registry, query)),
    },
    {
      method: 'GET',
      path: '/session/queue',
      handle: ({ query }) => jsonLines(queueOf(find(registry, query))),
    },
    {
      method: 'DELETE',
      path: '/session',
      handle: async ({ query }) => {
        await registry.remove(find(registry, query));
        await store.commit();
        return {};
      },
    },
  ];
}

function find(registry: SessionRegistry, query: unknown): Session {
  const { client_id: clientId } = requestOf(one, query);
  const session = registry.get(clientId);
  if (session === undefined) throw new OperatorError('admin.not_found', `there is no session ${clientId}`);
  return session;
}

async function* list(registry: SessionRegistry, filter: Wanted): AsyncGenerator<SessionSummary> {
  for await (const session of unhurried(registry.all())) if (isWanted(session, filter)) yield summaryOf(session);
}

async function removeAll(registry: SessionRegistry, filter: Wanted): Promise<number> {
  let removed = 0;
  for await (const session of unhurried(registry.all())) {
    // Its time may have come while others were removed.
    if (registry.get(session.clientId) !== session || !isWanted(session, filter)) continue;
    await registry.remove(session);
    removed++;
  }
  return removed;
}

function isWanted(session: Session, { client_id, owner, connected, idle, queued }: Wanted): boolean {
  const isConnected = session.link !== undefined;
  if (client_id !== undefined && !matchesGlob(client_id, session.clientId)) return false;
  if (owner !== undefined && session.owner !== owner && session.owner !== `user:${owner}`) return false;
  if (connected !== undefined && isConnected !== (connected === 'true')) return false;
  if (queued !== undefined && session.queued < queued) return false;
  return idle === undefined || (!isConnected && Date.now() - (session.disconnectedAt ?? 0) >= idle * 1000);
}

function summaryOf(session: Session): SessionSummary {
  const { clientId, owner, link, disconnectedAt, expiryInterval, subscriptionCount, stored } = session;
  const { queued, queuedBytes, inFlight } = session;
  return {
    clientId,
    owner,
    connected: link !== undefined,
    disconnectedAt: link === undefined ? disconnectedAt : undefined,
    expiryInterval,
    subscriptions: subscriptionCount,
    queued,
    queuedBytes,
    inFlight,
    stored,
  };
}

function detailsOf(session: Session): SessionDetails {
  const { will, receivedCount } = session;
  return {
    ...summaryOf(session),
    filters: session.subscriptions.map(({ filter, qos, identifier }) => ({ filter, qos, identifier })),
    received: receivedCount,
    will: will && { topic: will.topic, qos: will.qos, delay: will.properties?.willDelayInterval ?? 0 },
  };
}

/** What waits for a client or is on its way to it, in order; nothing of it is disturbed. */
async function* queueOf(session: Session) {
  for (let after = 0; ; ) {
    const entries = await session.queueBehind(after, atOnce);
    for (const { position, qos, state, message, sharedFilter } of entries) {
      const { topic, payload, properties, publisher, expiresAt, retain } = message;
      after = position;
      const body = { topic, payload: base64(payload), properties: readable(properties), publisher, retain };
      const expires = expiresAt === Number.POSITIVE_INFINITY ? undefined : expiresAt;
      // Of a message that the client has, only its place is left.
      yield { position, qos, state, ...(state === 'released' ? {} : { ...body, expiresAt: expires, sharedFilter }) };
    }
    if (entries.length < atOnce) return;
  }
}

function readable(properties: PublishProperties | undefined): object | undefined {
  const { correlationData, ...others } = properties ?? {};
  if (correlationData === undefined) return properties;
  return { ...others, correlationData: base64(correlationData) };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
