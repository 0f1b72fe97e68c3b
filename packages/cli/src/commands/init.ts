import { join, relative } from 'node:path';
import { defaultConfiguration } from '@moat/broker';
import type { Command } from 'commander';
import { examples } from '../help.js';
import { defaultFile } from '../local-broker.js';
import { shellWord } from '../output/shell-word.js';
import { gather } from '../parse-argument.js';
import { initialConfiguration } from '../setup/configuration-file.js';
import { createFile, ensureDataDirectory } from '../setup/data-directory.js';

interface InitOptions {
  readonly dataDir?: string;
  readonly host: string[];
  readonly json?: true;
}

export function defineInit(command: Command): void {
  command
    .option(
      '--data-dir <dir>',
      'data directory; the configuration is written into it (default: ./moat-data, ./moat.yaml)',
    )
    .option(
      '--host <name>',
      'a name or address that clients reach this broker by; may be given several times',
      gather,
      [],
    )
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat init', 'moat init --host broker.example.com --host 192.0.2.7'))
    .action(init);
}

async function init(options: InitOptions): Promise<void> {
  const configuration = defaultConfiguration(options.dataDir);
  const { authority, policy, admin } = await ensureDataDirectory(configuration, {
    hosts: options.host,
    now: new Date(),
  });
  const file = options.dataDir === undefined ? defaultFile : join(options.dataDir, defaultFile);
  const written = await createFile(
    file,
    initialConfiguration(options.dataDir === undefined ? './moat-data' : '.'),
    0o644,
  );
  const directory = relative('', configuration.data_dir) || '.';
  if (options.json) {
    console.log(JSON.stringify({ dataDir: configuration.data_dir, configuration: file, authority, policy, admin }));
    return;
  }
  const state = (made: boolean) => (made ? 'made' : 'kept');
  console.log(`${state(authority)}  ${join(directory, 'pki')}  authority and server certificate`);
  console.log(`${state(policy)}  ${join(directory, 'policy.yaml')}  who may do what`);
  console.log(`${state(admin !== undefined)}  ${join(directory, 'passwords')}  users`);
  console.log(`${state(written)}  ${file}  configuration`);
  if (admin) console.log(`\nThe administrator, shown this once:  user ${admin.username}  password ${admin.password}`);
  const start = options.dataDir === undefined ? 'moat start' : `moat start --data-dir ${shellWord(options.dataDir)}`;
  console.log(`\nNext:  ${start}`);
}
