import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { FuzzedBroker, type Setup } from './broker/fuzzed-broker.js';
import type { Conversation } from './conversation/conversation.js';
import { Finding, play } from './play.js';
import { shrink } from './shrink.js';

/** Milliseconds in which a fault shows, after what caused it. */
const afterwards = 300;

/** What happens when a new broker is told just this, one conversation after another; undefined when all is well. */
export async function replay(conversations: readonly Conversation[], setup: Setup): Promise<string | undefined> {
  const broker = await FuzzedBroker.prepare(setup);
  try {
    await broker.start();
    await play(broker, conversations, { atOnce: 1, addressOf: () => '127.0.0.1' });
    await pause(afterwards);
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    return error.message;
  } finally {
    await broker.stop().catch((error: Error) => broker.complaints.push(error.message));
    rmSync(setup.directory, { recursive: true, force: true });
  }
  return broker.complaints[0];
}

/** The fewest conversations, and of them the fewest pieces, that bring a finding about; all that were suspected where none do. */
export async function investigate({ conversations }: Finding, setup: Setup): Promise<readonly Conversation[]> {
  const fails = async (some: readonly Conversation[]): Promise<boolean> => (await replay(some, setup)) !== undefined;
  if (conversations.length === 0 || !(await fails(conversations))) return conversations;
  let kept = await shrink(conversations, fails);
  for (const [index, conversation] of kept.entries()) {
    const withChunks = (chunks: readonly Uint8Array[]): Conversation[] => kept.with(index, { ...conversation, chunks });
    kept = withChunks(await shrink(conversation.chunks, (chunks) => fails(withChunks(chunks))));
  }
  return kept;
}
