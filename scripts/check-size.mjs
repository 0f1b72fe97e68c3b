// A source file of more than 400 lines is two ideas.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownFiles } from './own-files.mjs';
import { root } from './prepare.mjs';

const most = 400;
const large = ownFiles('*.ts', '*.mjs')
  .filter((file) => !file.includes('/test/'))
  .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
  .filter(({ lines }) => lines > most);
for (const { file, lines } of large) process.stdout.write(`${file}: ${lines} lines, more than ${most}\n`);
process.exit(large.length === 0 ? 0 : 1);
