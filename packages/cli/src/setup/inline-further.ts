import { setFlagsFromString } from 'node:v8';

/** Bytecodes of other functions that V8 may build into one that it optimizes: its own limit is 920. */
const budget = 3_000;

/**
 * Has V8 build more of what a hot function calls into it, for the life of this process.
 *
 * The way of a message is many small functions, and measured with V8's own budget it takes more (docs/decisions/0063-more-is-inlined.md).
 * It holds for what is optimized from now on, so it comes first.
 */
export function inlineFurther(): void {
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${budget}`);
}
