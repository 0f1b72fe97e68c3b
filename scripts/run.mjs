/** `node scripts/run.mjs FILE [ARGUMENT]…`: runs a built file of this checkout, after building it, in this process. */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, install, root } from './prepare.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/run.mjs FILE [ARGUMENT]...');
  process.exit(2);
}
install();
build();
const path = resolve(root, file);
process.argv = [process.execPath, path, ...args];
await import(pathToFileURL(path).href);
