/**
 * What every command of a checkout does first: install what is missing and build what is stale. Both say nothing and
 * take a tenth of a second when there is nothing to do.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** Installs what package-lock.json names, unless it is there; ends the process with a message when that fails. */
export function install() {
  requireNode();
  if (isInstalled()) return;
  console.error('moat: installing the packages of package-lock.json');
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed');
}

/**
 * Builds what is older than its sources; ends the process with a message when that fails.
 *
 * @param {string[]} projects what to build, with what it refers to; without any, everything
 */
export function build(projects = []) {
  if (!existsSync(join(root, 'packages/cli/dist/main.js'))) console.error('moat: building');
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [compiler, '--build', ...projects], 'the build failed');
}

/** Refuses a Node.js that package.json does not admit, before it fails in stranger ways. */
function requireNode() {
  const { engines } = JSON.parse(readable('package.json'));
  const [major, minor] = engines.node.match(/\d+/g).map(Number);
  const [ownMajor, ownMinor] = process.versions.node.split('.').map(Number);
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return;
  console.error(`moat: needs Node.js ${engines.node}; this is ${process.versions.node}`);
  process.exit(1);
}

/**
 * npm writes node_modules/.package-lock.json last, so it is missing after an installation that was broken off, and
 * differs from package-lock.json after one of another version. Packages for other platforms are rightly absent.
 */
function isInstalled() {
  const wanted = readable('package-lock.json');
  const present = readable('node_modules/.package-lock.json');
  if (!wanted || !present) return false;
  const { packages } = JSON.parse(present);
  return Object.entries(JSON.parse(wanted).packages).every(([path, entry]) => {
    const found = packages[path];
    if (path === '' || (entry.optional && !found)) return true;
    return found !== undefined && found.version === entry.version && found.integrity === entry.integrity;
  });
}

/** @returns {string | undefined} the text of a file, if there is one */
function readable(path) {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return undefined;
  }
}

function run(command, args, complaint) {
  // Standard output belongs to what runs afterwards.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`moat: ${complaint}${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}
