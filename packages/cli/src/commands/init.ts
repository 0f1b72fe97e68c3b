import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { defaultConfiguration } from '@moat/broker';
import { KEY_ALGORITHMS, type KeyAlgorithm, loadAuthority } from '@moat/pki';
import type { Command } from 'commander';
import { CommandError, usageError } from '../failure.js';
import { examples } from '../help.js';
import { defaultFile } from '../local-broker.js';
import { shellWord } from '../output/shell-word.js';
import { gather } from '../parse-argument.js';
import { readSecret } from '../secret.js';
import { initialConfiguration } from '../setup/configuration-file.js';
import { createFile, ensureDataDirectory } from '../setup/data-directory.js';

interface InitOptions {
  readonly dataDir?: string;
  readonly host: string[];
  readonly issuing?: true;
  readonly keyAlgorithm: KeyAlgorithm;
  readonly caCert?: string;
  readonly caKey?: string;
  readonly caPassphrase?: string;
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
    .option('--issuing', 'make a root and an issuing authority, so that the key of the root can be kept elsewhere')
    .addOption(
      command
        .createOption('--key-algorithm <algorithm>', "of the authority's key")
        .choices(KEY_ALGORITHMS)
        .default('p256'),
    )
    .option('--ca-cert <file>', 'take over this authority in place of making one (with --ca-key)')
    .option('--ca-key <file>', 'its key')
    .option('--ca-passphrase <reference>', "of the authority's key, which is kept encrypted: env:NAME or file:PATH")
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(
        'moat init',
        'moat init --host broker.example.com --host 192.0.2.7',
        'moat init --issuing --ca-passphrase file:/run/secrets/ca',
        'moat init --ca-cert company-ca.crt --ca-key company-ca.key',
      ),
    )
    .action(init);
}

async function init(options: InitOptions): Promise<void> {
  const configuration = defaultConfiguration(options.dataDir);
  const { authority, policy, admin } = await ensureDataDirectory(configuration, {
    hosts: options.host,
    now: new Date(),
    authority: await authorityFor(options),
  });
  const unused = options.caCert ?? options.caPassphrase ?? options.issuing ?? options.host[0];
  if (!authority && unused)
    console.error("moat: there is an authority already; it and the server's certificate stay as they are");
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

/** Which authority the options ask for. */
async function authorityFor(options: InitOptions) {
  const { issuing, keyAlgorithm: algorithm, caCert, caKey, caPassphrase } = options;
  if ((caCert === undefined) !== (caKey === undefined)) throw usageError('--ca-cert and --ca-key belong together');
  const passphrase = caPassphrase === undefined ? undefined : await readSecret(caPassphrase);
  const secret = passphrase === undefined ? {} : { passphrase };
  if (caCert === undefined || caKey === undefined) return { algorithm, ...(issuing ? { issuing } : {}), ...secret };
  if (issuing) throw usageError('--issuing makes an authority, and --ca-cert takes one over');
  const [certificate, key] = await Promise.all([readText(caCert), readText(caKey)]);
  return { authority: loadAuthority(certificate, key, passphrase), ...secret };
}

function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw new CommandError(2, `cannot read ${file}: ${cause.message}`, { cause });
  });
}
