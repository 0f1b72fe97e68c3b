import { join, resolve } from 'node:path';
import type { RepairReport, StoreReport, StoreStats } from '@moat/broker/store';
import type { Command } from 'commander';
import { askBroker, brokerAnswers, longPatience } from '../admin-socket.js';
import { CommandError } from '../failure.js';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { Progress } from '../output/progress.js';
import { formatPairs } from '../output/table.js';
import { formatBytes } from '../output/units.js';

interface StoreOptions extends ConfigurationOptions {
  readonly json?: true;
}

export function defineStore(command: Command): void {
  command.addHelpText('after', examples('moat store stats', 'moat store check', 'moat store repair ./salvaged'));
  define(
    command,
    'stats',
    'show what the store takes on the disk',
    'Show what the store takes on the disk, of a running broker or of a stopped one.',
  ).action(stats);
  define(
    command,
    'check',
    'read the whole store and tell what is wrong with it',
    'Read every page and every row of the store of a stopped broker. Nothing is changed. The exit code is 1 if anything is wrong.',
  ).action(check);
  define(
    command,
    'repair <dir>',
    'write what can be read of a damaged store into a new one',
    'Write all that can be read of the store of a stopped broker into a new one, and tell what was lost. The old one is not changed. The exit code is 1 if anything was lost.',
  ).action(repair);
  define(
    command,
    'compact',
    'give free pages of the store back to the file system',
    'Give free pages of the store back to the file system, of a running broker, which goes on meanwhile, or of a stopped one.',
  ).action(compact);
}

function define(command: Command, usage: string, summary: string, description: string): Command {
  const [name] = usage.split(' ');
  return addConfigurationOptions(command.command(usage).summary(summary).description(description))
    .option('--json', 'print JSON')
    .addHelpText('after', examples(`moat store ${usage.replace('<dir>', './salvaged')}`, `moat store ${name} --help`));
}

async function stats(options: StoreOptions): Promise<void> {
  const found: StoreStats = (await brokerAnswers(options))
    ? await askBroker(options, 'GET', '/store')
    : await withStore(options, async ({ maintenance }) => maintenance.stats());
  const { file, bytes, freeBytes, rows, format } = found;
  if (options.json) return console.log(JSON.stringify(found, undefined, 2));
  const share = Math.round((100 * freeBytes) / bytes);
  console.log(
    formatPairs([
      ['file', file],
      ['size', formatBytes(bytes)],
      ['free', `${formatBytes(freeBytes)} (${share} %${share > 50 ? '; moat store compact gives it back' : ''})`],
      ['rows', String(rows)],
      ['format', String(format)],
    ]),
  );
}

async function check(options: StoreOptions): Promise<void> {
  const { checkStore } = await import('@moat/broker/store');
  const report = await watched((progress) => directoryOf(options).then((directory) => checkStore(directory, progress)));
  console.log(options.json ? JSON.stringify(report, undefined, 2) : formatReport(report));
  if (report.faults.length > 0) process.exitCode = 1;
}

async function repair(target: string, options: StoreOptions): Promise<void> {
  const { repairStore } = await import('@moat/broker/store');
  const directory = await directoryOf(options);
  const report: RepairReport = await watched((progress) => repairStore(directory, resolve(target), progress));
  const { kept, lost } = report;
  if (options.json) console.log(JSON.stringify(report, undefined, 2));
  else {
    console.log(formatPairs([...Object.entries(kept).map(([kind, count]) => [kind, String(count)] as const)]));
    console.log(lost.length === 0 ? '\nNothing was lost.' : `\nLost:\n${lost.map((what) => `  ${what}`).join('\n')}`);
    console.log(`\nTo use it, put ${target} in the place of ${directory}.`);
  }
  if (lost.length > 0) process.exitCode = 1;
}

async function compact(options: StoreOptions): Promise<void> {
  const { before, after } = (await brokerAnswers(options))
    ? await askBroker<{ before: number; after: number }>(options, 'POST', '/store/compact', undefined, longPatience)
    : await withStore(options, ({ maintenance }) => maintenance.compact(), true);
  if (options.json) console.log(JSON.stringify({ before, after }));
  else console.log(`${formatBytes(before)} became ${formatBytes(after)}`);
}

/** Where the store of a broker is that does not run. */
async function directoryOf(options: ConfigurationOptions): Promise<string> {
  if (await brokerAnswers(options))
    throw new CommandError(1, 'the broker that runs on this data directory has the store open', {
      hint: 'stop it first',
    });
  return join((await findConfiguration(options)).configuration.data_dir, 'store');
}

type Opened = Awaited<ReturnType<typeof import('@moat/broker/store').openExistingStore>>;

/** What is `read` as a whole is checked before: LMDB takes the process down with damage that it meets. */
async function withStore<T>(
  options: ConfigurationOptions,
  action: (store: Opened) => Promise<T>,
  read = false,
): Promise<T> {
  const { openExistingStore, requireSound } = await import('@moat/broker/store');
  const directory = await directoryOf(options);
  if (read) await requireSound(directory);
  const store = await openExistingStore(directory);
  try {
    return await action(store);
  } finally {
    await store.close();
  }
}

/** Runs long work, and tells on a terminal how far it has come. */
async function watched<T>(work: (progress: (rows: number) => void) => Promise<T>): Promise<T> {
  const progress = new Progress();
  try {
    return await work((rows) => progress.show(`${rows.toLocaleString('en')} rows`));
  } finally {
    progress.clear();
  }
}

function formatReport({ file, bytes, format, counts, faults, more }: StoreReport): string {
  const pairs = formatPairs([
    ['file', file],
    ['size', formatBytes(bytes)],
    ['format', String(format ?? 'unknown')],
    ...Object.entries(counts).map(([kind, count]) => [kind, String(count)] as const),
  ]);
  if (faults.length === 0) return `${pairs}\n\nNothing is wrong with it.`;
  const lines = more === 0 ? faults : [...faults, `and ${more} more`];
  return `${pairs}\n\nWrong:\n${lines.map((line) => `  ${line}`).join('\n')}\n\nmoat store repair DIR saves what can be read.`;
}
