// npm run check: types, lint, layering, dead code, generated files. Runs every step and reports all that fail.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, root } from './prepare.mjs';

install();
const bin = (name) => join(root, 'node_modules', '.bin', name);
const node = process.execPath;
const steps = [
  ['types', node, join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'],
  ['lint', bin('biome'), 'check', '--error-on-warnings', '.'],
  [
    'layering',
    bin('depcruise'),
    '--config',
    '.dependency-cruiser.cjs',
    'packages/*/{src,test}',
    'bench/src',
    'drills/{src,test}',
  ],
  ['dead code', bin('knip')],
  ['file size', node, 'scripts/check-size.mjs'],
  ['leftovers', node, 'scripts/check-leftovers.mjs'],
  ['links', node, 'scripts/check-links.mjs'],
  ['attacks', node, 'scripts/check-attacks.mjs'],
  ['conformance', node, 'scripts/conformance.mjs', '--check'],
  ['generated files', node, 'scripts/generate.mjs', '--check'],
  ['lock file', 'npm', 'ci', '--dry-run', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
];

let failed = 0;
for (const [name, command, ...args] of steps) {
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${status === 0 ? '✔' : '✖'} ${name} (${seconds} s)\n`);
  if (status === 0) continue;
  failed++;
  process.stdout.write(`${stdout}${stderr}`.replace(/^/gm, '    ').trimEnd().concat('\n'));
}
process.stdout.write(failed === 0 ? 'All checks passed.\n' : `${failed} of ${steps.length} checks failed.\n`);
process.exit(failed === 0 ? 0 : 1);
