import { getHeapStatistics } from 'node:v8';
import { collectGarbage } from '../collect-garbage.js';
import { Ebb } from '../guard/ebb.js';
import { letGoOfSpareSlabs } from '../transport/outbox.js';

/** Milliseconds between the two collections: what the first lets go of ends in later turns of the loop. */
const between = 2_000;
/** With more bytes alive a collection would hold everybody up for longer than a quarter of a second. */
const mostAlive = 256 * 1_024 * 1_024;

/**
 * Gives back the memory that a crowd took, once it has gone: V8 collects when more is allocated, and after a crowd that may
 * be never. The second collection gives the system back the pages that the first has emptied.
 */
export class AfterCrowd {
  private readonly ebb = new Ebb();
  /** The least bytes of the heap that were in use since the last collection: what is alive without a crowd, and little else. */
  private alive = Number.POSITIVE_INFINITY;
  private second: NodeJS.Timeout | undefined = undefined;

  /** @param isAtEase whether nobody would mind a pause of some tens of milliseconds */
  look(connections: number, isAtEase: boolean): void {
    const now = performance.now();
    this.alive = Math.min(this.alive, getHeapStatistics().used_heap_size);
    if (!this.ebb.look(connections, now) || !isAtEase || this.alive > mostAlive) return;
    this.ebb.told(connections, now);
    this.alive = Number.POSITIVE_INFINITY;
    letGoOfSpareSlabs();
    collectGarbage();
    this.second = setTimeout(collectGarbage, between);
    this.second.unref();
  }

  stop(): void {
    clearTimeout(this.second);
  }
}
