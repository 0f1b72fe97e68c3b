import { Ebb } from '../guard/ebb.js';
import { collectGarbage } from '../storage/collect-garbage.js';
import { letGoOfSpareSlabs } from '../transport/outbox.js';

/** Milliseconds between the two collections: what the first lets go of ends in later turns of the loop. */
const between = 2_000;
/** With more bytes in use, and all of them alive, a collection could hold up everybody for longer than half a second. */
const mostInUse = 512 * 1_024 * 1_024;

/**
 * Gives back the memory that a crowd took, once it has gone: V8 collects when more is allocated, and after a crowd that may
 * be never. The second collection gives the system back the pages that the first has emptied.
 */
export class AfterCrowd {
  private readonly ebb = new Ebb();
  private second: NodeJS.Timeout | undefined = undefined;

  /** @param isAtEase whether nobody would mind a pause of some tens of milliseconds */
  look(connections: number, isAtEase: boolean): void {
    const now = performance.now();
    if (!this.ebb.look(connections, now) || !isAtEase || process.memoryUsage().heapUsed > mostInUse) return;
    this.ebb.told(connections, now);
    letGoOfSpareSlabs();
    collectGarbage();
    this.second = setTimeout(collectGarbage, between);
    this.second.unref();
  }

  stop(): void {
    clearTimeout(this.second);
  }
}
