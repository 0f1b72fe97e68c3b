import { cut, mutate, Random } from '@moat/testkit';
import { ClientPackets } from './client-packets.js';
import { type User, users } from './names.js';
import { inWebSocket } from './web-socket-frames.js';

export const listeners = ['mqtt', 'mqtts', 'ws', 'wss'] as const;
export type ListenerName = (typeof listeners)[number];

/** How the client takes its leave: orderly, by a reset, or without having read anything. */
export const endings = ['fin', 'reset', 'unread'] as const;

/** All that one connection sends. */
export interface Conversation {
  readonly listener: ListenerName;
  /** Written one after another, each in a turn of its own. */
  readonly chunks: readonly Uint8Array[];
  readonly ending: (typeof endings)[number];
  readonly packets: number;
}

/** The conversation of a number in a run: the same for the same seed, whatever else goes on. */
export function conversationOf(seed: number, index: number): Conversation {
  const random = new Random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  const listener = pickListener(random);
  const version = random.pick([3, 4, 4, 5, 5, 5] as const);
  const user: User = random.chance(30) ? random.pick(users) : undefined;
  const packets = sequence(new ClientPackets(version, user, random), random);
  const parts = listener === 'ws' || listener === 'wss' ? inWebSocket(packets, random) : packets;
  if (parts !== packets && random.chance(10)) parts[random.below(parts.length)] = noise(random);
  let bytes: Uint8Array = Buffer.concat(parts);
  if (random.chance(8)) bytes = bytes.subarray(0, random.below(bytes.length + 1));
  const chunks = random.chance(70) ? [bytes] : random.chance(50) ? parts.slice() : fewer(cut(bytes, random));
  return { listener, chunks, ending: random.chance(80) ? 'fin' : random.pick(endings), packets: packets.length };
}

function pickListener(random: Random): ListenerName {
  const die = random.below(200);
  return die < 2 ? 'wss' : die < 5 ? 'mqtts' : die < 25 ? 'ws' : 'mqtt';
}

/** Packets in an order that is mostly a client's; some of them are mutated, repeated or out of place. */
function sequence(client: ClientPackets, random: Random): Uint8Array[] {
  const packets: Uint8Array[] = [random.chance(95) ? client.connect() : mutate(client.connect(), random)];
  const length = random.chance(85) ? random.below(120) : random.below(4);
  // Most of it sound, so that it gets far; the last few are not.
  while (packets.length < length) {
    const packet = client.next();
    for (let times = random.chance(8) ? random.below(12) : 1; times > 0; times--)
      packets.push(random.chance(1) ? mutate(packet, random) : packet);
  }
  for (let left = random.below(4); left > 0; left--) packets.push(mutate(client.next(), random));
  if (random.chance(4)) packets.push(declaring(random));
  if (random.chance(5)) packets.splice(random.below(packets.length), 0, noise(random));
  if (random.chance(4)) packets.push(...packets.splice(0, 1 + random.below(2)));
  return packets;
}

/** A packet that announces much and brings little. */
function declaring(random: Random): Uint8Array {
  const lengths = [
    [0xff, 0xff, 0x3f],
    [0xff, 0xff, 0xff, 0x7f],
    [0xff, 0x7f],
    [0x80, 0x80, 0x80, 0x80, 0x01],
  ];
  return Uint8Array.from([random.pick([0x10, 0x30, 0x32, 0x82, 0xc0]), ...random.pick(lengths), ...noise(random)]);
}

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: random.below(60) }, () => random.below(256));
}

/** At most so many pieces that writing each by itself does not take for ever. */
function fewer(chunks: Uint8Array[]): Uint8Array[] {
  const most = 40;
  return chunks.length <= most ? chunks : [...chunks.slice(0, most), Buffer.concat(chunks.slice(most))];
}
