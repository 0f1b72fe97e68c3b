import { waitFor } from '@moat/testkit';
import { FuzzedBroker, type Guarding, type Setup } from './broker/fuzzed-broker.js';
import type { Measure } from './broker/measure.js';
import { type Conversation, conversationOf } from './conversation/conversation.js';
import { Finding, type Play, play } from './play.js';

export interface CampaignOptions extends Setup {
  /** At least so many are sent. */
  readonly packets: number;
  readonly seed: number;
}

export interface Report {
  /** Sent, and of these read by the broker before it closed the connection or the client did. */
  readonly packets: number;
  readonly read: number;
  readonly conversations: number;
  /** Messages of the witness, and the longest that one took, in milliseconds. */
  readonly served: number;
  readonly slowest: number;
  /** What the broker held after a tenth of it, and in the end. */
  readonly before: Measure;
  readonly after: Measure;
}

/** Conversations at once, where the guard leaves the clients alone, and where it does not. */
const atOnce = { allowed: 24, strangers: 4 };
/** Bytes by which memory may differ at rest: caches fill, and code is compiled. A thousandth of what is sent is far more. */
const slack = 24 * 1_048_576;
const spareDescriptors = 4;

/**
 * Feeds a broker conversations until so many packets are sent, then looks whether it has come to rest.
 * @throws Finding
 */
export async function campaign(
  { packets, seed, ...setup }: CampaignOptions,
  progress: (packets: number, conversations: number) => void = () => {},
): Promise<Report> {
  const broker = await FuzzedBroker.prepare(setup);
  await broker.start();
  let sent = 0;
  let index = 0;
  function* upTo(limit: number): Generator<Conversation> {
    while (sent < limit) {
      const conversation = conversationOf(seed, index++);
      sent += conversation.packets;
      yield conversation;
    }
  }
  const how: Play = {
    atOnce: atOnce[setup.guarding],
    addressOf: addressOf[setup.guarding],
    progress: () => progress(sent, index),
  };
  try {
    const first = await play(broker, upTo(packets / 10), how);
    const before = await broker.measure();
    const second = await play(broker, upTo(packets), how);
    const after = await atRest(broker, before);
    const read = await broker.packetsReceived();
    await broker.stop();
    // What the fuzzing has left on disk must be good for another life.
    await broker.start();
    const third = await play(broker, [conversationOf(seed, 0)], how);
    await broker.stop();
    const [complaint] = broker.complaints;
    if (complaint !== undefined) throw new Finding(complaint, []);
    const served = first.served + second.served + third.served;
    const slowest = Math.max(first.slowest, second.slowest, third.slowest);
    return { packets: sent, read, conversations: index, served, slowest, before, after };
  } finally {
    await broker.stop();
  }
}

/** Waits until the broker holds no more than before, as far as that can be told. */
async function atRest(broker: FuzzedBroker, before: Measure): Promise<Measure> {
  let last = before;
  try {
    const isAtRest = async (): Promise<boolean> => {
      last = await broker.measure();
      const { memory, descriptors } = last;
      return memory <= before.memory + slack && descriptors <= before.descriptors + spareDescriptors;
    };
    await waitFor(isAtRest, { timeout: 30_000 });
    return last;
  } catch (error) {
    const { cause } = error as Error;
    if (cause instanceof Error) throw new Finding(cause.message, []);
    const [was, is] = [before, last].map(({ memory, descriptors }) => `${memory} bytes, ${descriptors} descriptors`);
    throw new Finding(`leak: before ${was}; after ${is}`, []);
  }
}

/** Strangers have many addresses, or the first malformed packets would lock all of them out. */
const addressOf: Record<Guarding, (index: number) => string> = {
  allowed: () => '127.0.0.1',
  strangers: (index) => `127.${1 + ((index >> 8) % 100)}.${index & 0xff}.${1 + (index % 250)}`,
};
