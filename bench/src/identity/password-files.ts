import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PasswordFile } from '@moat/broker/passwords';
import { removeDirectory, scratchDirectory } from '@moat/testkit';
import { medianOf } from '../median.js';
import { judge } from '../outcome.js';
import type { Study } from '../study.js';
import { passwordFileOf, userName } from './users.js';

const sizes = [10, 100_000] as const;
const logins = 100;
/** Seconds. */
const longestLoad = 1;
/** Beside the hashes. */
const mostBytesEach = 100;
/** Two logins that take the same differ by as much on a machine that does other things. */
const sameTime = 1.1;

interface Loaded {
  readonly file: PasswordFile;
  readonly seconds: number;
  readonly memory: number;
}

/** A password file of many users beside one of few: reading it, what it takes, and whether a login takes longer. */
export const passwordFilesStudy: Study = {
  name: 'identity-passwords',
  async run(_effort, say) {
    const directory = scratchDirectory();
    try {
      const loaded: Loaded[] = [];
      for (const size of sizes) loaded.push(await load(join(directory, `passwords-${size}`), size));
      const [few, many] = loaded as [Loaded, Loaded];
      const [quick, slow] = await loginTimes([few.file, many.file]);
      // What is beyond the hash: the name counts, and its place in the file.
      const hash = Buffer.byteLength(many.file.credentialsOf(userName(0)) ?? '');
      const each = many.memory / sizes[1] - hash;
      say(
        `${sizes[1]} users: ${many.seconds.toFixed(2)} s, ${each.toFixed(0)} bytes each, login ${slow.toFixed(1)} ms`,
      );
      return {
        table: {
          title: 'Password files',
          head: ['users', 'read, s', 'own memory', 'login, ms'],
          rows: [
            { cells: ['10', few.seconds.toFixed(3), '–', quick.toFixed(1)] },
            {
              cells: [
                sizes[1].toLocaleString('en-US'),
                many.seconds.toFixed(3),
                `${(many.memory / 1e6).toFixed(1)} MB`,
                slow.toFixed(1),
              ],
            },
          ],
        },
        verdicts: [
          {
            title: '100,000 users',
            quantity: 'read',
            ...judge({ atMost: longestLoad }, many.seconds, (value) => `${value.toFixed(2)} s`),
          },
          {
            title: '100,000 users',
            quantity: 'memory for each, beside the hash',
            ...judge({ atMost: mostBytesEach }, each, (value) => `${value.toFixed(0)} bytes`),
          },
          {
            title: '100,000 users',
            quantity: 'login',
            ...judge({ atMost: sameTime }, slow / quick, (value) => `${value.toFixed(2)} of that of 10 users`),
          },
        ],
      };
    } finally {
      removeDirectory(directory);
    }
  },
};

async function load(path: string, users: number): Promise<Loaded> {
  writeFileSync(path, passwordFileOf(users));
  const before = await ownMemory();
  const startedAt = performance.now();
  const file = await PasswordFile.load(path);
  const seconds = (performance.now() - startedAt) / 1000;
  return { file, seconds, memory: (await ownMemory()) - before };
}

/** The medians, in milliseconds; the files take turns, so that neither has the quieter machine. */
async function loginTimes(files: readonly [PasswordFile, PasswordFile]): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let login = 0; login < logins; login++) {
    for (const which of login % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const startedAt = performance.now();
      await files[which].verify(userName(login % sizes[0]), Buffer.from('wrong'));
      times[which].push(performance.now() - startedAt);
    }
  }
  return [medianOf(times[0]), medianOf(times[1])];
}

/** Of this process, in bytes, without what nobody uses any more. */
async function ownMemory(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Buffers are freed a turn after what held them.
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
