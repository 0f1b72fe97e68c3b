import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cleanUpAtExit } from '@moat/testkit';
import type { Guarding } from './broker/fuzzed-broker.js';
import { campaign, type Report } from './campaign.js';
import { corpusDirectory, readSequence, writeSequence } from './corpus.js';
import { investigate, replay } from './investigate.js';
import { Finding } from './play.js';

const usage = `Usage: npm run fuzz -- --broker [options]

Starts a broker with every kind of listener, and holds conversations of generated and mutated packets with it over many
connections, while a witness shows that it serves. Looks for crashes, hangs, complaints in the log, and what is not
given back. Without --broker, the codec alone is fuzzed.

  --packets N     how many are sent (default 1000000)
  --seed S        decides what they are (default: by the clock)
  --strangers     under the default limits, from many addresses; else from addresses that the guard leaves alone
  --replay FILE   only what a file of the corpus says
  --help

Examples:
  npm run fuzz -- --broker --packets 10000000 --seed 1
  npm run fuzz -- --broker --replay packages/fuzz/corpus/NAME.json
`;

const mebibyte = 1_048_576;
const lineEvery = 2_000;

interface Arguments {
  readonly help: boolean;
  readonly packets: number;
  readonly seed: number;
  readonly guarding: Guarding;
  readonly file: string | undefined;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    options: {
      broker: { type: 'boolean' },
      packets: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 0x1_0000_0000) },
      strangers: { type: 'boolean', default: false },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    help: values.help,
    packets: whole('--packets', values.packets, 1),
    seed: whole('--seed', values.seed, 0),
    guarding: values.strangers ? 'strangers' : 'allowed',
    file: values.replay,
  };
}

function whole(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`${option} takes a whole number, not '${text}'`);
  return value;
}

async function main(): Promise<number> {
  const given = readArguments();
  if (given.help) {
    process.stdout.write(usage);
    return 0;
  }
  const directory = mkdtempSync(join(tmpdir(), 'moat-fuzz-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  return given.file === undefined ? run(given, directory) : again(given.file, given, directory);
}

async function again(file: string, { guarding }: Arguments, directory: string): Promise<number> {
  const { about, conversations } = readSequence(file);
  const problem = await replay(conversations, { directory, guarding });
  process.stdout.write(problem === undefined ? `passed: ${about}\n` : `FOUND: ${problem}\n`);
  return problem === undefined ? 0 : 1;
}

async function run({ packets, seed, guarding }: Arguments, directory: string): Promise<number> {
  process.stdout.write(`Fuzzing a broker with ${packets} packets from seed ${seed}\n`);
  const started = performance.now();
  let lastLine = started;
  try {
    const report = await campaign({ packets, seed, guarding, directory: join(directory, 'run') }, (sent, begun) => {
      const now = performance.now();
      if (now - lastLine < lineEvery) return;
      lastLine = now;
      const rate = Math.round((sent / (now - started)) * 1000);
      process.stderr.write(`${sent} packets in ${begun} conversations, ${rate}/s\n`);
    });
    process.stdout.write(`passed: ${inWords(report, (performance.now() - started) / 1000)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    process.stdout.write(`FOUND with seed ${seed}: ${error.message}\n`);
    const conversations = await investigate(error, { directory: join(directory, 'again'), guarding });
    const file = writeSequence(corpusDirectory, `seed-${seed}`, { about: error.message, conversations });
    process.stdout.write(`what was sent is in ${file}; npm run fuzz -- --broker --replay ${file}\n`);
    return 1;
  }
}

function inWords({ packets, read, conversations, served, slowest, before, after }: Report, seconds: number): string {
  const memory = `${Math.round(before.memory / mebibyte)} MiB, in the end ${Math.round(after.memory / mebibyte)}`;
  return [
    `${packets} packets in ${conversations} conversations, ${read} of them read, in ${Math.round(seconds)} s`,
    `the witness was served ${served} times, within ${Math.round(slowest)} ms`,
    `memory at first ${memory}; descriptors ${before.descriptors}, in the end ${after.descriptors}`,
  ].join('; ');
}

cleanUpAtExit();
main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`fuzz: ${error.message}\n`);
    process.exit(2);
  },
);
