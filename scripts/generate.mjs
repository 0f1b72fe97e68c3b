// npm run generate: writes the reference pages and the files of deploy/, which are made from the code. --check compares instead, and names
// every page that is stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandsPage } from './generate/commands.mjs';
import { configurationPage } from './generate/configuration.mjs';
import { deployFiles } from './generate/deploy.mjs';
import { doctorPage } from './generate/doctor.mjs';
import { errorsPage } from './generate/errors.mjs';
import { policyPage } from './generate/policy.mjs';
import { root } from './prepare.mjs';

const pages = {
  'docs/reference/commands.md': commandsPage,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/doctor.md': doctorPage,
  'docs/reference/errors.md': errorsPage,
  'docs/reference/policy.md': policyPage,
  ...deployFiles(),
};

const check = process.argv.includes('--check');
let stale = 0;
for (const [file, page] of Object.entries(pages)) {
  const path = join(root, file);
  const text = await page();
  if (textOf(path) === text) continue;
  stale++;
  if (check) process.stdout.write(`${file} is stale: npm run generate\n`);
  else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
if (!check) process.stdout.write(`${stale} of ${Object.keys(pages).length} pages written\n`);
process.exit(check && stale > 0 ? 1 : 0);

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
