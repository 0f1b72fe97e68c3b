import type { DatabaseOptions } from 'lmdb';
import { messageSize } from '../message-size.js';
import type { RetainedRecord } from '../store.js';
import { allRetained } from './keys.js';
import { readRetainedOf } from './reader.js';
import { type StoredSummary, summaryOf } from './stored-summary.js';
import type { Tree } from './tree.js';

const atOnce = 1_000;
const noKey = new Uint8Array(0);

/**
 * The tree once more, read in another way: keys are not looked at, and of a value only what {@link summaryOf} takes. To
 * make objects of a million keys and payloads takes longer than all the rest of a start. LMDB's name for the tree
 * itself is null, which its types do not know.
 */
const view = {
  name: null,
  keyEncoder: {
    writeKey(key: Uint8Array, target: Uint8Array, start: number): number {
      target.set(key, start);
      return start + key.length;
    },
    readKey: () => noKey,
  },
  encoder: { encode: () => noKey, decode: summaryOf },
} as unknown as DatabaseOptions & { name: string };

/** What memory holds of every retained message, some at a time. Payloads are not read. */
export function* scanRetained(tree: Tree): Generator<RetainedRecord[]> {
  const summaries = tree.openDB<StoredSummary, Uint8Array>(view).getRange(allRetained);
  let some: RetainedRecord[] = [];
  for (const { value } of summaries) {
    const { topic, owner, expiresAt } = value;
    some.push({ topic, owner, size: sizeOf(tree, value), expiresAt });
    if (some.length < atOnce) continue;
    yield some;
    some = [];
  }
  yield some;
}

/** Properties count, and only the message as a whole tells of them. */
function sizeOf(tree: Tree, { topic, payloadLength, hasProperties }: StoredSummary): number {
  const [message] = hasProperties ? readRetainedOf(tree, [topic]) : [];
  return messageSize(topic, payloadLength, message?.properties);
}
