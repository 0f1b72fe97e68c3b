import { mkdirSync, writeFileSync } from 'node:fs';
import { moat } from '../peer/moat.js';
import { setting } from '../report.js';
import { markdown, plainText, verdictTable } from '../table.js';
import { measureDecisions } from './decisions.js';
import { measureLive } from './live.js';
import { page } from './page.js';
import { measureThroughput } from './throughput.js';

const file = new URL('../../../docs/reference/performance/policy.md', import.meta.url);

/** `npm run bench -- policy [--write]`: what a policy costs, beside other engines. */
export async function runPolicyBench(args: readonly string[], say: (line: string) => void): Promise<number> {
  const measured = [await measureDecisions(say), await measureThroughput(say), await measureLive(say)];
  const verdicts = measured.flatMap((each) => each.verdicts);
  const tables = [...measured.flatMap((each) => each.tables), verdictTable(verdicts)];
  for (const table of tables) process.stdout.write(`${plainText(table, process.stdout.isTTY)}\n`);
  if (args.includes('--write')) {
    mkdirSync(new URL('.', file), { recursive: true });
    writeFileSync(file, page(tables.map(markdown), setting([moat('memory')], new Date())));
  }
  return verdicts.every(({ result }) => result === 'reached') ? 0 : 1;
}
