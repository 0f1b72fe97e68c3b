import { type ConnectPacket, PacketType, type PublishPacket, type SubscribePacket, type Will } from '@moat/codec';
import type { ClientPlan } from '../plan.js';
import type { Numbered, Sending } from '../record/event.js';

/** CONNECT of a client; `attempt` is the number that its will bears. */
export function connectOf(plan: ClientPlan, clean: boolean, attempt: number): ConnectPacket {
  const { id, version, expiry, will } = plan;
  return {
    type: PacketType.CONNECT,
    version,
    cleanStart: clean,
    keepAlive: 0,
    clientId: id,
    ...(version === 5 ? { properties: { sessionExpiryInterval: expiry } } : {}),
    ...(will === undefined ? {} : { will: willOf(id, attempt, will) }),
  };
}

function willOf(clientId: string, attempt: number, { topic, delay }: { topic: string; delay: number }): Will {
  const payload = Buffer.from(`${clientId} ${attempt} `);
  const will: Will = { topic, payload, qos: 2, retain: false };
  return delay === 0 ? will : { ...will, properties: { willDelayInterval: delay } };
}

export function subscribeOf(packetId: number, filter: string): SubscribePacket {
  const subscription = { filter, qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return { type: PacketType.SUBSCRIBE, packetId, subscriptions: [subscription] };
}

export function publishOf({ topic, qos, retain, id }: Sending, payload: Buffer, dup: boolean): PublishPacket {
  return { type: PacketType.PUBLISH, topic, payload, qos, retain, dup, packetId: id };
}

/** Who sent it and its number, and so many bytes besides. */
export function payloadOf(from: string, { n, empty }: Sending, size: number): Buffer {
  return empty ? Buffer.alloc(0) : Buffer.concat([Buffer.from(`${from} ${n} `), Buffer.alloc(size, '.')]);
}

export function readPayload(payload: Uint8Array): Numbered | undefined {
  const [from = '', n] = Buffer.from(payload).toString('latin1').split(' ', 2);
  return n === undefined ? undefined : { from, n: Number(n) };
}
