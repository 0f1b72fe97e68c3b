import { constants, existsSync, type Stats } from 'node:fs';
import { cp, lstat, mkdir, open, readdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { askBroker, brokerAnswers, longPatience } from '../admin-socket.js';
import { CommandError } from '../failure.js';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { Progress } from '../output/progress.js';
import { shellWord } from '../output/shell-word.js';
import { formatBytes } from '../output/units.js';

interface BackupOptions extends ConfigurationOptions {
  readonly json?: true;
}

const pollMs = 500;

export function defineBackup(command: Command): void {
  addConfigurationOptions(command)
    .argument('<dir>', 'where to write it; it is made, or must be empty')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Everything that was acknowledged before is in it, and the broker goes on meanwhile. It holds private keys and password
hashes, and is as secret as the data directory. To restore it, start a broker on it.
${examples('moat backup /backup/monday', 'moat start --data-dir /backup/monday')}`,
    )
    .action(backup);
}

/** The store as one snapshot, and all else that is in the data directory. */
async function backup(target: string, options: BackupOptions): Promise<void> {
  const { configuration, file } = await findConfiguration(options);
  const [from, to] = [configuration.data_dir, resolve(target)];
  if (!relative(from, to).startsWith('..')) throw new CommandError(1, `${target} lies within the data directory`);
  if (!existsSync(from))
    throw new CommandError(1, `there is no data directory ${from}`, { hint: 'name it: --data-dir' });
  await makeEmpty(to);
  if (configuration.storage.engine === 'lmdb') await copyStore(options, from, join(to, 'store'));
  await copyFiles(from, to);
  const bytes = await flush(to);
  await flushOne(dirname(to)); // its own name
  if (options.json) return console.log(JSON.stringify({ directory: to, bytes }));
  console.log(
    `${formatBytes(bytes)} in ${target}. To start a broker on it: moat start --data-dir ${shellWord(target)}`,
  );
  if (file !== undefined && relative(from, resolve(file)).startsWith('..'))
    console.log(`The configuration ${file} lies elsewhere and is not in it.`);
}

async function makeEmpty(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    if ((await readdir(directory)).length === 0) return;
  } catch (cause) {
    throw new CommandError(1, `cannot write to ${directory}: ${(cause as Error).message}`, { cause });
  }
  throw new CommandError(1, `${directory} is not empty`, { hint: 'name a directory that is' });
}

async function copyStore(options: ConfigurationOptions, dataDir: string, to: string): Promise<void> {
  const progress = new Progress();
  const file = join(to, 'data.mdb');
  const poll = setInterval(() => {
    stat(file).then(
      ({ size }) => progress.show(`${formatBytes(size)} of the store`),
      () => {},
    );
  }, pollMs);
  try {
    if (await brokerAnswers(options))
      await askBroker(options, 'POST', '/store/backup', { directory: to }, longPatience);
    else if (existsSync(join(dataDir, 'store'))) await copyStopped(join(dataDir, 'store'), to);
  } finally {
    clearInterval(poll);
    progress.clear();
  }
}

async function copyStopped(from: string, to: string): Promise<void> {
  const { openExistingStore, requireSound } = await import('@moat/broker/store');
  await requireSound(from);
  const store = await openExistingStore(from);
  try {
    await store.maintenance.backup(to);
  } finally {
    await store.close();
  }
}

async function copyFiles(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (name === 'store') continue;
    await cp(join(from, name), join(to, name), {
      recursive: true,
      mode: constants.COPYFILE_FICLONE,
      preserveTimestamps: true,
      filter: async (source) => isKept(await lstat(source)),
    });
  }
}

/** Sockets belong to the broker that runs. */
function isKept(stats: Stats): boolean {
  return stats.isFile() || stats.isDirectory() || stats.isSymbolicLink();
}

/** Brings a directory with all that is in it to the disk; returns its bytes. */
async function flush(path: string): Promise<number> {
  const stats = await lstat(path);
  let bytes = stats.isFile() ? stats.size : 0;
  if (stats.isDirectory()) for (const name of await readdir(path)) bytes += await flush(join(path, name));
  if (!stats.isFile() && !stats.isDirectory()) return bytes;
  await flushOne(path);
  return bytes;
}

async function flushOne(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
