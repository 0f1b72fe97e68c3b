import { parentPort, workerData } from 'node:worker_threads';
import { OperatorErrors } from '../errors.js';
import { lowerPriority } from '../lower-priority.js';
import { leanRules } from './lean-rules.js';
import type { Portion, ReadingTask } from './read-apart.js';
import { rulesPortions } from './read-rules.js';
import type { Rule } from './rule.js';

/** Rules that the other thread takes in within a few milliseconds. */
const portionSize = 100;

/** Reads rules for {@link readApart}, portion by portion. */
function* read({ text, file, format }: ReadingTask): Generator<Portion, void> {
  try {
    const portions = rulesPortions(Buffer.from(text.buffer).toString(), file, format);
    let rules: Rule[] = [];
    for (;;) {
      const { done, value } = portions.next();
      if (done) {
        yield* inPortions(rules);
        return yield { kind: 'rest', rest: value };
      }
      if (value === 'again') {
        rules = [];
        yield { kind: 'again' };
        continue;
      }
      rules = rules.concat(value);
      giveWay();
      if (rules.length < portionSize) continue;
      yield* inPortions(rules);
      rules = [];
    }
  } catch (error) {
    if (!(error instanceof OperatorErrors)) throw error;
    const mistakes = error.errors.map(({ code, message, place, hint }) => ({ code, message, place, hint }));
    yield { kind: 'mistakes', mistakes };
  }
}

function* inPortions(rules: readonly Rule[]): Generator<Portion> {
  for (let start = 0; start < rules.length; start += portionSize)
    yield { kind: 'rules', rules: leanRules(rules.slice(start, start + portionSize)) };
}

/**
 * Low priority decides who gets a core next, and not for how long it is kept: that is up to four milliseconds, for which the
 * event loop would wait each time that both are on one.
 */
function giveWay(): void {
  Atomics.wait(bed, 0, 0, breath);
}

/** Milliseconds. */
const breath = 0.1;
const bed = new Int32Array(new SharedArrayBuffer(4));

lowerPriority();
const portions = read(workerData as ReadingTask);

function sendNext(): void {
  const { value } = portions.next();
  if (value !== undefined) parentPort?.postMessage(value);
}

parentPort?.on('message', (message: 'next' | 'end') => (message === 'next' ? sendNext() : parentPort?.close()));
sendNext();
