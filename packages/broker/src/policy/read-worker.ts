import { parentPort, workerData } from 'node:worker_threads';
import { OperatorErrors } from '../errors.js';
import type { Portion, ReadingTask } from './read-apart.js';
import { readRules } from './read-rules.js';

/** Rules that the other thread takes in within a few milliseconds. */
const portion = 250;

/** Reads rules for {@link readApart}. */
function read({ text, file, format }: ReadingTask, send: (portion: Portion) => void): void {
  try {
    const { rules, ...rest } = readRules(text, file, format);
    for (let start = 0; start < rules.length; start += portion)
      send({ kind: 'rules', rules: rules.slice(start, start + portion) });
    send({ kind: 'rest', rest });
  } catch (error) {
    if (!(error instanceof OperatorErrors)) throw error;
    const mistakes = error.errors.map(({ code, message, place, hint }) => ({ code, message, place, hint }));
    send({ kind: 'mistakes', mistakes });
  }
}

read(workerData as ReadingTask, (message) => parentPort?.postMessage(message));
