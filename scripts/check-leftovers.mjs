// What is left of work in progress: markers, tests that are skipped for good, tests that hide the others.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownFiles } from './own-files.mjs';
import { root } from './prepare.mjs';

const leftovers = [
  { pattern: /\b(?:TODO|FIXME|XXX|HACK|not implemented|unimplemented)\b/, files: ['*.ts', '*.mjs', '*.md', '*.yaml'] },
  { pattern: /\b(?:it|test|describe)\.(?:skip|only|todo)\b|\{ *(?:skip|todo|only): *(?:true|')/, files: ['*.test.ts'] },
  { pattern: /^(?:<{7}|>{7}) /, files: ['*'] },
];
// The patterns themselves.
const own = 'scripts/check-leftovers.mjs';

for (const { pattern, files } of leftovers) {
  for (const file of ownFiles(...files).filter((path) => path !== own)) {
    for (const [index, line] of readFileSync(join(root, file), 'utf8').split('\n').entries()) {
      if (!pattern.test(line)) continue;
      process.stdout.write(`${file}:${index + 1}: ${line.trim()}\n`);
      process.exitCode = 1;
    }
  }
}
