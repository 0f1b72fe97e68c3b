import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Attempt } from '../drill.js';
import type { Order, Word } from './attacker.js';

const attackerFile = fileURLToPath(new URL('attacker.js', import.meta.url));

/**
 * Runs a drill in a process of its own, so that neither those who measure nor the measured share an event loop with it.
 *
 * @throws when it fails, or does not end in time (milliseconds)
 */
export function runApart(order: Order, report: (attempt: Attempt) => void, within: number): Promise<void> {
  const child = fork(attackerFile);
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it goes on beyond its time')), within);
    child.on('exit', () => reject(new Error('the process of the attack has ended')));
    child.on('message', (word: Word) => {
      if ('attempt' in word) return report(word.attempt);
      clearTimeout(timer);
      if (word.ended === undefined) resolve();
      else reject(new Error(word.ended));
    });
    child.send(order);
  }).finally(() => child.kill('SIGKILL'));
}
