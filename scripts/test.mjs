/**
 * `npm test [-- PATTERN]...`: installs, builds, and runs every test, or those in files whose path holds a PATTERN.
 * The last line is `N passed, N failed, N skipped`. With CI=true a skipped test is a failure.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { build, install, root } from './prepare.mjs';
import { killAll, runFile } from './test/run-file.mjs';

/** From how long on a test is named as slow, in milliseconds, and how many are. */
const slow = 2_000;
const slowestShown = 10;

install();
build();
spawnSync(join(root, 'scripts/test-deps'), { stdio: ['ignore', 2, 2] });

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    killAll();
    process.exit(130);
  });
}

const patterns = process.argv.slice(2);
const sources = findTests().filter((path) => patterns.length === 0 || patterns.some((part) => path.includes(part)));
// The compiler takes a file that was moved, and so kept its time, for one that it has built.
if (sources.some((source) => !existsSync(builtFrom(source)))) build(['--force']);
const outcomes = await runAll(sources);
summarize(outcomes);

/** The test files by their sources, so that what is left of a deleted one in a build folder does not run. */
function findTests() {
  const packages = [...readdirSync(join(root, 'packages')).map((name) => join('packages', name)), 'drills'];
  return packages
    .map((name) => join(name, 'test'))
    .filter((directory) => existsSync(join(root, directory)))
    .flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true })
        .filter((path) => path.endsWith('.test.ts'))
        .map((path) => join(directory, path)),
    )
    .sort();
}

function builtFrom(source) {
  return join(root, source.replace(/^(packages\/[^/]+|drills)\/test\//, '$1/dist-test/').replace(/\.ts$/, '.js'));
}

/** Runs the files, one for each core at a time, and prints a line as each one ends. */
async function runAll(files) {
  const results = [];
  const queue = files.values();
  async function work() {
    for (const source of queue) {
      const outcome = await runFile(builtFrom(source));
      results.push({ source, ...outcome });
      printFile(source, outcome);
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return results;
}

function printFile(source, { passed, failed, skipped, milliseconds, output }) {
  const counts = [`${passed} passed`];
  if (failed.length > 0) counts.push(`${failed.length} failed`);
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  console.log(`${failed.length > 0 ? 'FAIL' : 'ok  '} ${source} (${counts.join(', ')}) ${seconds(milliseconds)}`);
  if (failed.length === 0) return;
  for (const { name, text } of failed) console.log(`\n  ${name}\n${indent(text)}\n`);
  if (output.trim()) console.log(`  It printed:\n${indent(output.trimEnd())}\n`);
}

function summarize(results) {
  const listed = (key) => results.flatMap(({ source, [key]: items }) => items.map((item) => ({ source, ...item })));
  const failed = listed('failed');
  const skipped = listed('skipped');
  const slowest = listed('timed')
    .filter(({ milliseconds }) => milliseconds > slow)
    .sort((a, b) => b.milliseconds - a.milliseconds)
    .slice(0, slowestShown);
  printList('Slow:', slowest, ({ name, milliseconds }) => `${seconds(milliseconds)} ${name}`);
  printList('Skipped:', skipped, ({ name, why }) => (why ? `${name} (${why})` : name));
  printList('Failed:', failed, ({ name }) => name);
  if (results.length === 0) console.log(`No test file matches ${patterns.join(' ')}`);

  const isCi = process.env.CI === 'true';
  if (isCi && skipped.length > 0) console.log('A skipped test is a failure here, since CI=true');
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  console.log(`\n${passed} passed, ${failed.length} failed, ${skipped.length} skipped`);
  process.exitCode = failed.length > 0 || results.length === 0 || (isCi && skipped.length > 0) ? 1 : 0;
}

function printList(title, items, line) {
  if (items.length === 0) return;
  console.log(`\n${title}`);
  for (const item of items) console.log(`  ${item.source}: ${line(item)}`);
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(2)} s`;
}

function indent(text) {
  return text.replace(/^/gm, '    ');
}
