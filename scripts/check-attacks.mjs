#!/usr/bin/env node
/**
 * Checks that each test that docs/reference/attacks.md names is there: every row of a table ends with links to test files,
 * each followed by the beginnings of titles in that file, in quotation marks.
 *
 *     node scripts/check-attacks.mjs    exit 1 with one line, file:line: what is wrong, for each
 */

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './prepare.mjs';

const page = 'docs/reference/attacks.md';

/** @param {string} cell the last of a row @returns {string[]} what is wrong with it */
function problemsOf(cell) {
  const tests = [...cell.matchAll(/\[[^\]]*\]\(([^)]+)\):((?: *“[^”]+”,?)+)/g)];
  if (tests.length === 0) return ['no test is named'];
  return tests.flatMap(([, path = '', names = '']) => {
    const file = join(root, dirname(page), path);
    if (!existsSync(file)) return [`${path} is not there`];
    const source = readFileSync(file, 'utf8');
    return [...names.matchAll(/“([^”]+)”/g)]
      .filter(([, name = '']) => !["'", '`'].some((quote) => source.includes(`${quote}${name}`)))
      .map(([, name]) => `${path} has no test “${name}”`);
  });
}

const rows = readFileSync(join(root, page), 'utf8')
  .split('\n')
  .map((line, index) => ({ line, number: index + 1 }))
  .filter(({ line }) => line.startsWith('| ') && !/^\| (seen in|---)/.test(line));
if (rows.length === 0) throw new Error(`${page} has no table`);
const problems = rows.flatMap(({ line, number }) =>
  problemsOf(line.split('|').at(-2) ?? '').map((problem) => `${page}:${number}: ${problem}`),
);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
