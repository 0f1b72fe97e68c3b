import { allRetained, formatKey } from './keys.js';
import type { StoredMessage, StoredRetained } from './records.js';
import { rows, type Tree } from './tree.js';

/** Brings a store from one format to the next. Runs within a write transaction: all of it happens, or nothing. */
export interface Migration {
  /** The format that it begins with; it ends with the one after it. */
  readonly from: number;
  migrate(tree: Tree): void;
}

/** One for each format that there ever was, in their order. Format 1 is the first. */
export const migrations: readonly Migration[] = [{ from: 1, migrate: giveOwners }];

/** A retained message says whose it is; of those that are there nobody knows. */
function giveOwners(tree: Tree): void {
  for (const { key, value } of rows(tree, allRetained)) {
    const [topic, payload, flags, expiresAt, publisher, properties] = value as StoredMessage;
    const retained: StoredRetained = [topic, payload, flags, expiresAt, publisher, undefined, properties];
    tree.putSync(key, retained);
  }
}

/**
 * Brings a store to format `to`, step by step, each durable before the next begins: a broker that is killed meanwhile
 * goes on from there. Throws when there is no way.
 */
export async function migrate(tree: Tree, from: number, to: number, steps = migrations): Promise<void> {
  for (let format = from; format < to; format++) {
    const step = steps.find((each) => each.from === format);
    if (step === undefined) throw new Error(`no way leads from format ${format} to ${format + 1}`);
    await tree.childTransaction(() => {
      step.migrate(tree);
      tree.putSync(formatKey, ['moat', format + 1]);
    });
    await tree.flushed;
  }
}
