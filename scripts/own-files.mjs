import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

/**
 * The files of this repository that match, those not yet committed included, those deleted or ignored not.
 *
 * @param {string[]} patterns as `git ls-files` takes them
 * @returns {string[]} paths from the root
 */
export function ownFiles(...patterns) {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', ...patterns];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  return [...new Set(listed)].filter((file) => file !== '' && existsSync(join(root, file)));
}
