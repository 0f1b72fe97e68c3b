import { PassThrough, type Readable } from 'node:stream';
import { z } from 'zod';
import { OperatorError } from '../errors.js';
import { makePolicy } from '../policy/load.js';
import { type Difference, Shadow } from '../policy/shadow.js';
import type { ConnectionContext } from './context.js';
import type { Enforcement } from './enforcement.js';

/** Milliseconds between two lines that say how much has been judged. */
const interval = 1_000;
/** Bytes of differences that may wait for a reader. */
const maxWaiting = 1_048_576;

const request = z.strictObject({ text: z.string(), file: z.string() });

/**
 * Judges live traffic by a second policy as long as somebody reads what comes of it: a line of JSON for each difference,
 * and one a second that says how many questions were judged and how many differences came too fast to be told.
 * @throws OperatorError, OperatorErrors
 */
export async function beginShadow(
  context: ConnectionContext,
  enforcement: Enforcement,
  body: unknown,
): Promise<Readable> {
  const asked = request.safeParse(body);
  if (!asked.success) throw new OperatorError('policy.invalid', 'a shadow takes text and file');
  const policy = await makePolicy(Buffer.from(asked.data.text), asked.data.file, 'either', context.policy.fallback);
  if (context.shadow !== undefined)
    throw new OperatorError('policy.shadowed', 'another policy is judging already', { hint: 'end that command first' });
  const lines = new PassThrough({ highWaterMark: maxWaiting });
  let missed = 0;
  const report = (difference: Difference): void => {
    if (lines.writableNeedDrain) missed++;
    else lines.write(`${JSON.stringify(difference)}\n`);
  };
  const shadow = new Shadow(policy, report);
  const count = (): void => {
    if (!lines.writableNeedDrain) lines.write(`${JSON.stringify({ judged: shadow.judged, missed })}\n`);
  };
  const timer = setInterval(count, interval);
  lines.once('close', () => {
    clearInterval(timer);
    if (context.shadow === shadow) context.shadow = undefined;
  });
  context.shadow = shadow;
  count();
  // What was decided before is decided once more, so that both are asked.
  void enforcement.again().then(count);
  return lines;
}
