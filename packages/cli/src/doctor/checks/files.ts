import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { shellWord } from '../../output/shell-word.js';
import type { Check, Problem, Subject } from '../check.js';

const readableByOthers = 0o077;
const writableByOthers = 0o022;

/** Who may read and write what the broker keeps. */
export const fileChecks: readonly Check[] = [
  {
    code: 'files.data_dir_open',
    severity: 'high',
    expects: 'the data directory is open to its owner alone',
    why: 'whoever enters it reads sessions, retained messages and events, and tries the files in it',
    look: ({ configuration: { data_dir } }) => tooOpen([data_dir], readableByOthers, '700'),
  },
  {
    code: 'files.key_readable',
    severity: 'critical',
    expects: 'private and pre-shared keys are readable by their owner alone',
    why: 'with the key of the server anybody is the broker, and with that of the authority any device',
    look: async (subject) => tooOpen(await keysOf(subject), readableByOthers, '600'),
  },
  {
    code: 'files.passwords_readable',
    severity: 'high',
    expects: 'the password file is readable by its owner alone',
    why: 'hashes that can be read are guessed at elsewhere, without any lock-out',
    look: ({ configuration: { authentication } }) => tooOpen([authentication.password_file], readableByOthers, '600'),
  },
  {
    code: 'files.writable_by_others',
    severity: 'critical',
    expects: 'configuration, policy, certificates and revocation lists are writable by their owner alone',
    why: 'whoever writes them decides who comes in and what is allowed',
    look: (subject) => tooOpen(decidingFiles(subject), writableByOthers, 'go-w'),
  },
  {
    code: 'files.admin_password_left',
    severity: 'medium',
    expects: 'the first password of the administrator is not kept in a file',
    why: 'it is good for everything, and every backup has it',
    async look({ configuration: { data_dir } }) {
      const file = join(data_dir, 'admin-password');
      if ((await statusOf(file)) === undefined) return [];
      return [{ what: `${file} is still there`, mend: `note the password down elsewhere, then rm ${shellWord(file)}` }];
    },
  },
];

async function tooOpen(files: readonly string[], forbidden: number, mode: string): Promise<Problem[]> {
  const found = await Promise.all(
    [...new Set(files)].map(async (file) => {
      const bits = (await statusOf(file))?.mode ?? 0;
      if ((bits & forbidden) === 0) return [];
      const what = `${file} has mode ${(bits & 0o7777).toString(8).padStart(4, '0')}`;
      return [{ what, mend: `chmod ${mode} ${shellWord(file)}` }];
    }),
  );
  return found.flat();
}

/** Keys that the configuration names, and all that lie beside the authority's. */
async function keysOf({ configuration: { data_dir, listeners } }: Subject): Promise<string[]> {
  const pki = join(data_dir, 'pki');
  const own = (await readdir(pki).catch(() => []))
    .filter((name) => name.endsWith('.key'))
    .map((name) => join(pki, name));
  const named = listeners.flatMap((each) =>
    'keyfile' in each ? [each.keyfile, each.psk_file, ...each.more_certificates.map(({ keyfile }) => keyfile)] : [],
  );
  return [...own, ...named.filter((file) => file !== undefined)];
}

function decidingFiles({ file, configuration: { authorization, listeners } }: Subject): string[] {
  const named = listeners.flatMap((each) =>
    'certfile' in each
      ? [
          each.certfile,
          each.cafile,
          each.capath,
          each.crlfile,
          each.crlpath,
          ...each.more_certificates.map(({ certfile }) => certfile),
        ]
      : [],
  );
  // Who may write the directory may put another file in its place.
  const own = file === undefined ? [] : [file, dirname(file)];
  const files = [...own, authorization.policy_file, authorization.acl_file, ...named];
  return files.filter((each) => each !== undefined);
}

function statusOf(file: string): Promise<Stats | undefined> {
  return stat(file).catch(() => undefined);
}
