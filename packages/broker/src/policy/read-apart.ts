import { Worker } from 'node:worker_threads';
import { collectYoungGarbage } from '../collect-garbage.js';
import { OperatorError, type OperatorErrorCode, OperatorErrors, type Place } from '../errors.js';
import type { Format } from './read-rules.js';
import type { PolicyText, Rule } from './rule.js';

/** What the thread that reads a policy is given. */
export interface ReadingTask {
  /** In UTF-8. */
  readonly text: Uint8Array;
  readonly file: string;
  readonly format: Format;
}

/** What it sends, a portion each time that it is asked: rules, as few as are quickly taken in, which
 * may begin again, then the rest; or the mistakes. */
export type Portion =
  | { readonly kind: 'rules'; readonly rules: readonly Rule[] }
  | { readonly kind: 'again' }
  | { readonly kind: 'rest'; readonly rest: Omit<PolicyText, 'rules'> }
  | { readonly kind: 'mistakes'; readonly mistakes: readonly WrittenMistake[] };

/** An OperatorError on its way between threads. */
interface WrittenMistake {
  readonly code: OperatorErrorCode;
  readonly message: string;
  readonly place: Place | undefined;
  readonly hint: string | undefined;
}

/** So few that what they leave behind is collected within milliseconds. */
const portionsBetweenCollections = 2;

/**
 * Reads rules in a thread of its own, which gets the bytes of the text: YAML takes about 0.1 ms a rule, for which nobody who is connected should wait.
 * @throws OperatorErrors with every mistake in the text
 */
export function readApart(text: Buffer, file: string, format: Format): Promise<PolicyText> {
  // Handed over, not copied; and so it has to be all of its memory.
  const bytes = text.length === text.buffer.byteLength ? text : Uint8Array.from(text);
  const workerData: ReadingTask = { text: bytes, file, format };
  const transferList = [bytes.buffer as ArrayBuffer];
  const worker = new Worker(new URL('./read-worker.js', import.meta.url), { workerData, transferList });
  const rules: Rule[] = [];
  let portions = 0;
  return new Promise((resolve, reject) => {
    worker.on('message', (portion: Portion) => {
      if (portion.kind === 'rules' || portion.kind === 'again') {
        if (portion.kind === 'again') rules.length = 0;
        else for (const rule of portion.rules) rules.push(rule);
        setImmediate(() => {
          worker.postMessage('next'); // after those who are connected
          if (++portions % portionsBetweenCollections === 0) collectYoungGarbage();
        });
        return;
      }
      if (portion.kind === 'rest') resolve({ rules, ...portion.rest });
      else reject(new OperatorErrors(portion.mistakes.map(revive)));
      worker.postMessage('end');
    });
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error(`the thread that read ${file} ended early`)));
  });
}

function revive({ code, message, place, hint }: WrittenMistake): OperatorError {
  return new OperatorError(code, message, { ...(place && { place }), ...(hint === undefined ? {} : { hint }) });
}
