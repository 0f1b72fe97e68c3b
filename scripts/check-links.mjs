#!/usr/bin/env node
/**
 * Checks that every relative link in the Markdown files of this repository leads to a file, and every anchor to a
 * heading in it. Links to other sites are left alone.
 *
 *     node scripts/check-links.mjs    exit 1 with one line, file:line: what is wrong, for each
 */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ownFiles } from './own-files.mjs';
import { root } from './prepare.mjs';

/** @param {string} file absolute @returns {string[]} its lines; those of fenced code and comments are empty */
function proseOf(file) {
  let fence = '';
  const text = readFileSync(file, 'utf8').replace(/<!--[\s\S]*?-->/g, (comment) => comment.replace(/[^\n]/g, ''));
  return text.split('\n').map((line) => {
    const [, mark = ''] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
    if (fence === '') fence = mark;
    else {
      if (mark.startsWith(fence)) fence = '';
      return '';
    }
    return mark === '' ? line : '';
  });
}

/** @param {string} heading @returns {string} the anchor that GitHub gives it */
function anchorOf(heading) {
  const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '');
  return text
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-');
}

/** @type {Map<string, Set<string>>} */
const known = new Map();

/** @param {string} file absolute @returns {Set<string>} */
function anchorsIn(file) {
  const found = known.get(file) ?? new Set();
  if (known.has(file)) return found;
  known.set(file, found);
  for (const line of proseOf(file)) {
    for (const [, id = ''] of line.matchAll(/<a (?:id|name)="([^"]+)"/g)) found.add(id);
    const [, heading] = /^#{1,6}\s+(.*?)\s*#*$/.exec(line) ?? [];
    if (heading === undefined) continue;
    const anchor = anchorOf(heading);
    let unique = anchor;
    for (let count = 1; found.has(unique); count++) unique = `${anchor}-${count}`;
    found.add(unique);
  }
  return found;
}

/** @param {string} line @returns {string[]} where its links lead */
function targetsIn(line) {
  const prose = line.replace(/(`+)(?:(?!\1).)+\1/g, '');
  const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const defined = [...prose.matchAll(/^\s*\[[^\]]+\]:\s+<?([^\s>]+)/g)];
  return [...inline, ...defined].map(([, target = '']) => target);
}

/** @param {string} from absolute @param {string} target @returns {string | undefined} what is wrong with it */
function problemOf(from, target) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(target) || target.startsWith('//')) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? from : resolve(dirname(from), decodeURIComponent(path));
  if (relative(root, file).startsWith('..')) return `${target} leads out of the repository`;
  if (!existsSync(file)) return `${target} is not there`;
  if (anchor === undefined || statSync(file).isDirectory() || !file.endsWith('.md')) return undefined;
  return anchorsIn(file).has(decodeURIComponent(anchor)) ? undefined : `${target} has no such heading`;
}

const problems = ownFiles('*.md').flatMap((file) => {
  const from = join(root, file);
  return proseOf(from).flatMap((line, index) =>
    targetsIn(line).flatMap((target) => {
      const problem = problemOf(from, target);
      return problem === undefined ? [] : [`${file}:${index + 1}: ${problem}`];
    }),
  );
});
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
