/**
 * Runs one test file in a process group of its own, and never longer than it makes progress. node:test's own `run()`
 * does not do: its time limit is one of the file in Node.js 20 and one of each test in 24, where a file that leaves a
 * socket open then hangs the run.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';

const reporter = new URL('reporter.mjs', import.meta.url).href;

/** How long a file may go without a test beginning or ending, in milliseconds. */
const patience = 60_000;

/** How much of what a file printed is kept for the report of its failure, in characters. */
const outputKept = 20_000;

/** Process groups that run now, to be ended when the runner is. */
const running = new Set();

/** Ends every process of every file at once. */
export function killAll() {
  for (const group of running) kill(group);
}

/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {{ name: string, text: string }[]} failed
 * @property {{ name: string, why: string }[]} skipped
 * @property {{ name: string, milliseconds: number }[]} timed every test that ran
 * @property {string} output what the file printed, its end
 * @property {number} milliseconds
 *
 * @param {string} path of a built test file
 * @returns {Promise<Outcome>}
 */
export async function runFile(path) {
  const begin = performance.now();
  const outcome = { passed: 0, failed: [], skipped: [], timed: [], output: '', milliseconds: 0 };
  const open = new Set();
  const options = ['--enable-source-maps', `--test-reporter=${reporter}`, path];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
  running.add(child.pid);

  const giveUp = () => {
    const name = [...open].at(-1) ?? '(the file)';
    const text = open.size > 0 ? 'did not end' : 'did not end after its tests: one spins, or leaves something open';
    outcome.failed.push({ name, text: `${text} (no progress for ${patience / 1000} s)` });
    kill(child.pid);
  };
  let watchdog = setTimeout(giveUp, patience);
  child.on('message', (message) => {
    clearTimeout(watchdog);
    watchdog = setTimeout(giveUp, patience);
    if (message.began) open.add(message.began);
    else if (message.ended) {
      open.delete(message.ended);
      count(outcome, message);
    }
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      outcome.output = (outcome.output + text).slice(-outputKept);
    });
  }
  // What the tests started and left behind goes with them, and lets go of the pipes.
  child.once('exit', () => kill(child.pid));
  const [code, signal] = await once(child, 'close');
  clearTimeout(watchdog);
  running.delete(child.pid);

  if (outcome.failed.length === 0) {
    const text = code === 0 ? nothingRan(outcome) : `ended with ${signal ?? `exit code ${code}`}`;
    if (text) outcome.failed.push({ name: '(the file)', text });
  }
  outcome.milliseconds = performance.now() - begin;
  return outcome;
}

function count(outcome, { ended: name, isSuite, passed, skipped, failure, milliseconds }) {
  if (failure !== undefined) outcome.failed.push({ name, text: failure });
  else if (skipped !== undefined) outcome.skipped.push({ name, why: skipped === true ? '' : skipped });
  else if (passed && !isSuite) outcome.passed += 1;
  if (!isSuite) outcome.timed.push({ name, milliseconds });
}

function nothingRan({ passed, skipped }) {
  return passed + skipped.length === 0 ? 'holds no test' : undefined;
}

function kill(group) {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // All of it is gone already.
  }
}
