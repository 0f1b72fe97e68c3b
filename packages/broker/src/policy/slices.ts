/** How long a piece of work may hold the event loop up, in milliseconds. */
const slice = 2;

/** Works item by item, and lets the event loop turn whenever a slice of time has been used up. */
export async function inSlices<Item>(items: Iterable<Item>, work: (item: Item) => void): Promise<void> {
  let until = performance.now() + slice;
  for (const item of items) {
    work(item);
    if (performance.now() < until) continue;
    await new Promise((resolve) => setImmediate(resolve));
    until = performance.now() + slice;
  }
}
