/** When messages are sent. A schedule is told of every progress, and says how long it will go on. */
import type { Publisher } from './publisher.js';

export interface Schedule {
  /** Sends what may be sent now. */
  step(publishers: readonly Publisher[], now: number): void;
}

/**
 * As many as the window allows. With QoS 0 a publisher waits until half of its window is free, so that the broker always
 * has something to read and the load costs few writes.
 */
export function saturated(smallestBurst: number): Schedule {
  return {
    step(publishers, now) {
      for (const publisher of publishers) {
        const room = publisher.room;
        if (room >= smallestBurst) publisher.send(room, now);
      }
    },
  };
}

/** `perSecond` messages a second in all, one each from one publisher after the other. */
export function paced(perSecond: number): Schedule {
  let startedAt: number | undefined;
  let sent = 0;
  let turn = 0;
  return {
    step(publishers, now) {
      startedAt ??= now;
      const due = Math.floor(((now - startedAt) / 1000) * perSecond);
      for (; sent < due; sent++) {
        const publisher = publishers[turn++ % publishers.length];
        // A publisher whose window is full skips its turn: the broker is behind, and the rate reached will say so.
        if (publisher !== undefined && publisher.room > 0) publisher.send(1, performance.now());
      }
    },
  };
}
