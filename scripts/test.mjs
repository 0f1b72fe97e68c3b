// npm test [-- PATTERN …]: every test that a release needs, or those whose file name holds a PATTERN.
// Ends in one line: N passed, N failed, N skipped.
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { build, install, root } from './prepare.mjs';

const testTimeout = 120_000;
const slowFrom = 5_000;

install();
build();
spawnSync(join(root, 'scripts', 'test-deps'), { stdio: ['ignore', 2, 2] });

const patterns = process.argv.slice(2);
const files = testFiles().filter((file) => patterns.length === 0 || patterns.some((part) => file.includes(part)));
const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const skips = [];

const events = run({ files, concurrency: availableParallelism(), timeout: testTimeout });
for await (const { type, data } of events) {
  if (type === 'test:stderr' || type === 'test:stdout') process.stderr.write(data.message);
  if (type !== 'test:pass' && type !== 'test:fail') continue;
  const isFile = data.nesting === 0 && data.name === data.file;
  const isSuite = data.details?.type === 'suite';
  if (data.nesting === 0) reportFile(data);
  if (data.skip !== undefined || data.todo !== undefined) {
    counts.skipped++;
    skips.push(`${data.name} (${data.skip || data.todo})`);
  } else if (type === 'test:pass') {
    if (!isFile && !isSuite) counts.passed++;
  } else if (!isSuite || !isFailureOfSubtests(data)) {
    counts.failed++;
    failures.push(data);
  }
}

for (const { name, file, details } of failures) {
  const cause = details?.error?.cause ?? details?.error;
  const text = cause?.stack ?? String(cause);
  process.stdout.write(`\n✖ ${name}\n  ${relative(root, file ?? '')}\n${text.replace(/^/gm, '  ')}\n`);
}
for (const skip of skips) process.stdout.write(`skipped: ${skip}\n`);
const skipsFail = process.env.CI === 'true' && counts.skipped > 0;
if (skipsFail) process.stdout.write('In CI a skipped test is a failure.\n');
if (files.length === 0) process.stdout.write('No test file matches.\n');
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
process.exit(counts.failed > 0 || skipsFail || counts.passed === 0 ? 1 : 0);

/** Every built test whose source is still there. */
function testFiles() {
  const found = [];
  for (const name of readdirSync(join(root, 'packages'))) {
    const directory = join(root, 'packages', name, 'dist-test');
    for (const file of walk(directory)) {
      const source = file.replace('dist-test', 'test').replace(/\.js$/, '.ts');
      if (file.endsWith('.test.js') && statSync(source, { throwIfNoEntry: false })) found.push(file);
    }
  }
  return found.sort();
}

function* walk(directory) {
  if (!statSync(directory, { throwIfNoEntry: false })) return;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}

function isFailureOfSubtests({ details }) {
  return details?.error?.failureType === 'subtestsFailed';
}

function reportFile({ file, details, name }) {
  if ((details?.duration_ms ?? 0) < slowFrom) return;
  process.stderr.write(`slow: ${(details.duration_ms / 1000).toFixed(1)} s ${relative(root, file ?? name)} ${name}\n`);
}
