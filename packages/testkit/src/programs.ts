import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The interpreter to which the Python modules of Debian's packages belong. */
export const python = '/usr/bin/python3';

/** Where a program is; daemons are found even where a user's PATH leaves their directories out. */
export function findProgram(name: string): string | undefined {
  const { PATH = '' } = process.env;
  const directories = [...PATH.split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin'];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

/** Where the loader of programs finds a shared library, such as `libjemalloc.so.2`. */
export function findLibrary(name: string): string | undefined {
  const { stdout } = spawnSync(findProgram('ldconfig') ?? 'ldconfig', ['-p'], { encoding: 'utf8' });
  const line = (stdout ?? '').split('\n').find((each) => each.trimStart().startsWith(`${name} `));
  return line?.split(' => ')[1];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
