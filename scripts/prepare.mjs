/**
 * What every command of a checkout does first: install what is missing and build what is stale. Both say nothing and
 * take a tenth of a second when there is nothing to do.
 */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

/** Installs and builds; ends the process with a message when either fails. */
export function prepare() {
  install();
  build();
}

/** Installs what package-lock.json names, unless it is there. */
export function install() {
  requireNode();
  if (isInstalled()) return;
  console.error('moat: installing the packages of package-lock.json');
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed');
}

/** Builds every package that is older than its sources. */
function build() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const stale = readable('node_modules/.package-lock.json') && !readable('packages/cli/dist/main.js');
  if (stale) console.error('moat: building');
  run(process.execPath, [compiler, '--build'], 'the build failed');
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
