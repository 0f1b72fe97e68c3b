import { mkdir, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { CommandError } from '../failure.js';
import { findJemalloc } from '../harden/find-jemalloc.js';
import type { GeneratedFile, Installation } from '../harden/installation.js';
import { defaultLogFile, filesOf, pieces } from '../harden/pieces.js';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { formatTable } from '../output/table.js';
import { integer } from '../parse-argument.js';

interface HardenOptions extends ConfigurationOptions {
  readonly out?: string;
  readonly user: string;
  readonly program?: string;
  readonly node?: string;
  readonly jemalloc?: string | false;
  readonly logFile: string;
  readonly journal?: true;
  readonly sshPort: number;
  readonly broker?: readonly string[];
  readonly json?: true;
}

export function defineHarden(command: Command): void {
  const list = pieces.map(({ name, summary }) => `  ${name.padEnd(10)} ${summary}`).join('\n');
  addConfigurationOptions(command)
    .addArgument(
      command
        .createArgument('[what...]', 'for which programs; all when none is named')
        .choices(pieces.map(({ name }) => name)),
    )
    .option('--out <dir>', 'write the files into this directory; otherwise they are printed')
    .option('--user <name>', 'whom the broker runs as', userName, 'moat')
    .option('--program <path>', 'where the command moat will be (default: where it is)', plainPath)
    .option('--node <path>', 'where Node.js will be (default: where it is)', plainPath)
    .option('--jemalloc <path>', 'where libjemalloc.so.2 will be (default: where it is, if it is)', plainPath)
    .option('--no-jemalloc', 'the allocator of the C library, wherever jemalloc is')
    .option('--log-file <path>', 'where the log of the broker goes', plainPath, defaultLogFile)
    .option('--journal', 'to the journal of systemd instead')
    .option('--ssh-port <port>', 'by which you administer the machine; 0 closes it', integer(0, 65_535), 22)
    .option(
      '--broker <address>',
      'a broker that HAProxy sends clients to (default: 127.0.0.1); may be given several times',
      hosts,
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
${list}

Ports, rates and paths are those of the configuration: generate the files again when it changes. Nothing is installed.
${examples('moat harden nftables -c /etc/moat/moat.yaml > moat.nft', 'moat harden -c /etc/moat/moat.yaml --out deploy', 'moat harden haproxy --broker 10.0.0.11 --broker 10.0.0.12')}`,
    )
    .action(harden);
}

async function harden(what: readonly string[], options: HardenOptions): Promise<void> {
  const { out, json } = options;
  const chosen = pieces.filter(({ name }) => what.length === 0 || what.includes(name));
  const files = filesOf(chosen, await installationOf(options));
  if (files.length === 0) throw new CommandError(1, 'nothing is needed: the journal of systemd is rotated by itself');
  if (out !== undefined) await write(files, out);
  if (json) return console.log(JSON.stringify(files, undefined, 2));
  if (out === undefined) return void process.stdout.write(inOne(files));
  const rows = files.map(({ path, goesTo }) => [join(out, path), goesTo]);
  console.log(formatTable(['FILE', 'GOES TO'], rows));
}

async function installationOf(options: HardenOptions): Promise<Installation> {
  const { configuration, file } = await findConfiguration(options);
  const { user, node = process.execPath, program = process.argv[1] ?? 'moat', jemalloc, logFile, journal } = options;
  return {
    configuration,
    file: file === undefined ? undefined : resolve(file),
    node,
    program: resolve(program),
    allocator: jemalloc === false ? undefined : (jemalloc ?? (await findJemalloc())),
    user,
    logFile: journal ? undefined : logFile,
    sshPort: options.sshPort,
    brokers: options.broker ?? ['127.0.0.1'],
  };
}

function userName(text: string): string {
  if (/^[a-z_][\w-]{0,30}$/.test(text)) return text;
  throw new InvalidArgumentError('It cannot be the name of a user of Linux.');
}

/** No blank or quotation mark: not every file that names it could. */
function plainPath(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return resolve(text);
  throw new InvalidArgumentError('It must be a path without blanks and quotation marks.');
}

function hosts(text: string, before: readonly string[] = []): string[] {
  if (isIP(text) === 0 && !/^[a-z0-9]([\w.-]*[a-z0-9])?$/i.test(text))
    throw new InvalidArgumentError('It must be an address or the name of a host.');
  return [...before, text];
}

async function write(files: readonly GeneratedFile[], out: string): Promise<void> {
  try {
    for (const { path, text } of files) {
      await mkdir(dirname(join(out, path)), { recursive: true });
      await writeFile(join(out, path), text);
    }
  } catch (cause) {
    throw new CommandError(1, `cannot write into ${out}: ${(cause as Error).message}`, { cause });
  }
}

/** One file as it is, so that it can be piped; several below their names. */
function inOne(files: readonly GeneratedFile[]): string {
  if (files.length === 1) return files[0]?.text ?? '';
  return files.map(({ goesTo, text }) => `### ${goesTo}\n\n${text}`).join('\n');
}
