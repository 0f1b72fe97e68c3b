import { setImmediate as turn } from 'node:timers/promises';
import type { FuzzedBroker } from './broker/fuzzed-broker.js';
import type { Conversation } from './conversation/conversation.js';
import { speak } from './conversation/speak.js';
import { Witness } from './witness.js';

/** Of the conversations that were held last, so many may have had to do with what was found. */
const suspected = 96;
/** The witness has an address of its own. */
const witnessAddress = '127.200.0.1';

/** Something that must not happen, and what was said shortly before. */
export class Finding extends Error {
  constructor(
    message: string,
    readonly conversations: readonly Conversation[],
  ) {
    super(message);
  }
}

/** How conversations are held with a broker. */
export interface Play {
  /** So many at once. */
  readonly atOnce: number;
  /** The address that a conversation of this number comes from. */
  addressOf(index: number): string;
  progress?(conversation: Conversation): void;
}

/**
 * Holds conversations with a running broker, while a witness shows that it serves.
 * @throws Finding
 */
export async function play(
  broker: FuzzedBroker,
  conversations: Iterable<Conversation>,
  { atOnce, addressOf, progress }: Play,
): Promise<Witness> {
  const witness = new Witness(broker.ports.mqtt, witnessAddress);
  const recent: Conversation[] = [];
  const queue = conversations[Symbol.iterator]();
  let problem: string | undefined;
  let begun = 0;
  const failed = (error: unknown): void => {
    problem ??= error instanceof Error ? error.message : String(error);
  };
  const watching = witness.watch().catch(failed);
  async function work(): Promise<void> {
    while (problem === undefined && broker.complaints.length === 0) {
      const { value, done } = queue.next();
      if (done === true) return;
      recent.push(value);
      if (recent.length > 2 * suspected) recent.splice(0, suspected);
      await speak(value, broker, addressOf(begun++)).catch(failed);
      progress?.(value);
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  await turn();
  witness.stop();
  await watching;
  const complaint = broker.complaints[0] ?? problem;
  if (complaint !== undefined) throw new Finding(complaint, recent.slice(-suspected));
  return witness;
}
