import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** So many are looked at in one turn of the loop. */
const atOnce = 500;

/** Walks through many things without holding anybody up. */
export async function* unhurried<T>(all: Iterable<T>): AsyncGenerator<T> {
  let looked = 0;
  for (const each of all) {
    if (++looked % atOnce === 0) await nextTurn();
    yield each;
  }
}

/** One JSON text a line, as the reader takes them. */
export function jsonLines(items: AsyncIterable<object>): Readable {
  return Readable.from(
    (async function* () {
      for await (const item of items) yield `${JSON.stringify(item)}\n`;
    })(),
  );
}

/** One JSON array, as the reader takes it. */
export function jsonArray(items: AsyncIterable<object>): Readable {
  return Readable.from(
    (async function* () {
      let before = '[';
      for await (const item of items) {
        yield `${before}${JSON.stringify(item)}\n`;
        before = ',';
      }
      yield before === '[' ? '[]' : ']';
    })(),
  );
}
