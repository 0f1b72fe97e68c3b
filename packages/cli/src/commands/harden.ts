import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { CommandError } from '../failure.js';
import type { GeneratedFile } from '../harden/installation.js';
import { defaultLogFile, filesOf, pieces } from '../harden/pieces.js';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { formatTable } from '../output/table.js';
import { integer } from '../parse-argument.js';

interface HardenOptions extends ConfigurationOptions {
  readonly out?: string;
  readonly user: string;
  readonly program: string;
  readonly node: string;
  readonly logFile: string;
  readonly journal?: true;
  readonly sshPort: number;
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
    .option('--user <name>', 'whom the broker runs as', 'moat')
    .option('--program <path>', 'where the command moat will be (default: where it is)')
    .option('--node <path>', 'where Node.js will be (default: where it is)')
    .option('--log-file <path>', 'where the log of the broker goes', defaultLogFile)
    .option('--journal', 'to the journal of systemd instead')
    .option('--ssh-port <port>', 'by which you administer the machine; 0 closes it', integer(0, 65_535), 22)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
${list}

Ports, rates and paths are those of the configuration: generate the files again when it changes. Nothing is installed.
${examples('moat harden systemd -c /etc/moat/moat.yaml', 'moat harden -c /etc/moat/moat.yaml --out deploy')}`,
    )
    .action(harden);
}

async function harden(what: readonly string[], options: HardenOptions): Promise<void> {
  const { configuration, file } = await findConfiguration(options);
  const {
    out,
    json,
    user,
    logFile,
    journal,
    sshPort,
    node = process.execPath,
    program = process.argv[1] ?? 'moat',
  } = options;
  if (!/^[a-z_][\w-]{0,30}$/.test(user)) throw new CommandError(2, `${user} cannot be the name of a user of Linux`);
  const chosen = pieces.filter(({ name }) => what.length === 0 || what.includes(name));
  const files = filesOf(chosen, {
    configuration,
    file: file === undefined ? undefined : resolve(file),
    node: resolve(node),
    program: resolve(program),
    user,
    logFile: journal ? undefined : resolve(logFile),
    sshPort,
  });
  if (out !== undefined) await write(files, out);
  if (json) console.log(JSON.stringify(files, undefined, 2));
  else if (out === undefined) process.stdout.write(inOne(files));
  else
    console.log(
      formatTable(
        ['FILE', 'GOES TO'],
        files.map(({ path, goesTo }) => [join(out, path), goesTo]),
      ),
    );
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
