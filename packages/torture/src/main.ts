import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type Outcome, type Progress, type TortureOptions, torture } from './torture.js';

const usage = `Usage: npm run torture -- [options]

Kills a broker at random moments and starts it again, while clients in other processes publish, subscribe, and are
killed themselves; then judges by what they recorded whether anything that was acknowledged is missing.

  --cycles N       how often the broker is ended (default 25)
  --seed S         decides what happens when (default: by the clock)
  --data-dir DIR   takes data and records, and is kept; must be empty
  --engine NAME    lmdb or memory (default lmdb); with memory, which keeps nothing, faults must be found
  --fill-disk      fills the disk of DIR/data now and then, which must be a small one of its own, and frees it
  --help

Examples:
  npm run torture -- --cycles 500 --seed 1
  unshare -m sh -c 'mkdir -p /tmp/t/data && mount -t tmpfs -o size=64m none /tmp/t/data &&
    npm run torture -- --fill-disk --data-dir /tmp/t'
`;

const shown = 20;

function readArguments(): { help: boolean; keep: boolean; options: TortureOptions } {
  const { values } = parseArgs({
    options: {
      cycles: { type: 'string', default: '25' },
      seed: { type: 'string', default: String(Date.now() % 0x1_0000_0000) },
      'data-dir': { type: 'string' },
      engine: { type: 'string', default: 'lmdb' },
      'fill-disk': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { engine, 'data-dir': given, 'fill-disk': fillsDisk, help } = values;
  if (engine !== 'lmdb' && engine !== 'memory') throw new Error(`--engine takes lmdb or memory, not '${engine}'`);
  const [cycles, seed] = [whole('--cycles', values.cycles, 1), whole('--seed', values.seed, 0)];
  if (given !== undefined && existsSync(given) && readdirSync(given).some((name) => name !== 'data'))
    throw new Error(`--data-dir ${given} is not empty`);
  const directory = help ? '' : resolve(given ?? mkdtempSync(join(tmpdir(), 'moat-torture-')));
  return { help, keep: given !== undefined, options: { cycles, seed, engine, directory, fillsDisk } };
}

function whole(option: string, text: string, least: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < least) throw new Error(`${option} takes a whole number, not '${text}'`);
  return value;
}

function describe({ sent, done, arrived, killedClients }: Progress): string {
  return `${sent} sent, ${done} acknowledged, ${arrived} received, clients killed ${killedClients} times`;
}

function judge({ faults, ...progress }: Outcome, { cycles, seed, engine, directory, fillsDisk }: TortureOptions): void {
  for (const { rule, client, text } of faults.slice(0, shown))
    process.stdout.write(`${rule}: ${client === undefined ? '' : `${client} `}${text}\n`);
  if (faults.length > shown) process.stdout.write(`and ${faults.length - shown} more\n`);
  const what = `${cycles} cycles with seed ${seed}: ${describe(progress)}`;
  if (faults.length === 0) process.stdout.write(`passed: ${what}\n`);
  else {
    const more = `${engine === 'lmdb' ? '' : ` --engine ${engine}`}${fillsDisk ? ' --fill-disk' : ''}`;
    const again = `npm run torture -- --cycles ${cycles} --seed ${seed}${more}`;
    process.stdout.write(`data and records are in ${directory}; to try again: ${again}\n`);
    process.stdout.write(`failed: ${what}; ${faults.length} faults\n`);
  }
}

async function main(): Promise<number> {
  const { help, keep, options } = readArguments();
  if (help) {
    process.stdout.write(usage);
    return 0;
  }
  const { cycles, directory } = options;
  mkdirSync(directory, { recursive: true });
  const outcome = await torture(options, (progress) => {
    process.stderr.write(`cycle ${progress.cycle} of ${cycles}: ${describe(progress)}\n`);
  });
  judge(outcome, options);
  if (!keep && outcome.faults.length === 0) rmSync(directory, { recursive: true });
  return outcome.faults.length === 0 ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(130));

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`torture: ${error.message}\n`);
    process.exit(2);
  },
);
