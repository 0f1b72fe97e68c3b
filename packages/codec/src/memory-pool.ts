import { allocate } from './platform.js';

const smallest = 4_096;
const largest = 262_144;
/** Bytes that are kept of each size. */
const keptBytes = 1_048_576;

/** The power of two that so many bytes fit into. */
export function sizeFor(length: number): number {
  return 2 ** (32 - Math.clz32(length - 1));
}

/**
 * Memory whose size is a power of two, and which is used again once it was given back: fresh memory costs page faults
 * and garbage collection. What is smaller or larger than is kept is always fresh.
 */
export class MemoryPool {
  /** By the logarithm of the size. */
  readonly #spare: Uint8Array[][] = Array.from({ length: Math.log2(largest) + 1 }, () => []);

  /** At least `length` bytes of undefined content. */
  take(length: number): Uint8Array {
    const size = sizeFor(length);
    return this.#spare[Math.log2(size)]?.pop() ?? allocate(size);
  }

  /** Nothing may refer to `memory`, which {@link take} has returned, any more. */
  giveBack(memory: Uint8Array): void {
    const { length } = memory;
    if (length < smallest) return;
    const spare = this.#spare[31 - Math.clz32(length)];
    if (spare !== undefined && spare.length < keptBytes / length) spare.push(memory);
  }
}
