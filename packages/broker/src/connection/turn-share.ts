/** Milliseconds of work for one client, after which the others have a turn of the event loop. */
const share = 5;
/** Bytes of a read that is measured: what is smaller brings little work, and there is no more behind it. */
const large = 16_384;

interface Worker {
  readonly state: string;
  /** Milliseconds of work for it since it last rested. */
  worked: number;
  hold(): void;
  unhold(): void;
}

/** When a read of so many bytes begins to be worked off; 0 where that is not measured. */
export function beginWork(bytes: number): number {
  return bytes < large ? 0 : performance.now();
}

/**
 * Has a client that has had its share rest for a turn: everybody else is read, and handshakes go on. Left alone, libuv reads
 * one socket 32 times in a row as long as it fills the buffer, which is eight megabytes, whatever each message in them costs.
 */
export function endWork(worker: Worker, began: number): void {
  if (began === 0) return;
  worker.worked += performance.now() - began;
  if (worker.worked < share) return;
  worker.worked = 0;
  if (worker.state === 'closed') return;
  worker.hold();
  setImmediate(() => worker.unhold());
}
