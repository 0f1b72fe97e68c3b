import { parentPort, workerData } from 'node:worker_threads';
import { OperatorErrors } from '../errors.js';
import type { Portion, ReadingTask } from './read-apart.js';
import { readRules } from './read-rules.js';

/** Rules that the other thread takes in within a few milliseconds. */
const portionSize = 100;

/** Reads rules for {@link readApart}, portion by portion. */
function* read({ text, file, format }: ReadingTask): Generator<Portion, void> {
  try {
    const { rules, ...rest } = readRules(text, file, format);
    for (let start = 0; start < rules.length; start += portionSize)
      yield { kind: 'rules', rules: rules.slice(start, start + portionSize) };
    yield { kind: 'rest', rest };
  } catch (error) {
    if (!(error instanceof OperatorErrors)) throw error;
    const mistakes = error.errors.map(({ code, message, place, hint }) => ({ code, message, place, hint }));
    yield { kind: 'mistakes', mistakes };
  }
}

const portions = read(workerData as ReadingTask);

function sendNext(): void {
  const { value } = portions.next();
  if (value !== undefined) parentPort?.postMessage(value);
}

parentPort?.on('message', (message: 'next' | 'end') => (message === 'next' ? sendNext() : parentPort?.close()));
sendNext();
