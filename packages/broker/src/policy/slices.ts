import { setImmediate as nextTurn } from 'node:timers/promises';
import { collectYoungGarbage } from '../collect-garbage.js';

/** How long a piece of work may hold the event loop up, in milliseconds. */
const slice = 2;

/**
 * Works item by item, and lets the event loop turn whenever a slice of time has been used up. What a slice leaves behind is
 * collected in a turn of its own: with that of many it would take longer than all of them may.
 */
export async function inSlices<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
  let until = performance.now() + slice;
  for (const item of items) {
    work(item);
    if (performance.now() < until) continue;
    await nextTurn();
    collectYoungGarbage();
    await nextTurn();
    until = performance.now() + slice;
  }
}
