import { cleanUpAtExit, scratchDirectory } from '@moat/testkit';
import { readArguments, usage } from './arguments.js';
import { verdicts } from './outcome.js';
import type { Part } from './part.js';
import { connectionsPart } from './parts/connections.js';
import { durablePart } from './parts/durable.js';
import { guardPart } from './parts/guard.js';
import { identityPart } from './parts/identity.js';
import { leastPart } from './parts/least.js';
import { memoryPart } from './parts/memory.js';
import { pacedPart } from './parts/paced.js';
import { scalePart } from './parts/scale.js';
import { type Certificate, makeCertificate } from './peer/certificate.js';
import { section, setting, writeSection } from './report.js';
import { run } from './run.js';
import type { Effort } from './scenario.js';
import type { Finding } from './study.js';
import { outcomeTables, plainText, type Table, verdictTable } from './table.js';

const reference = new URL('../../docs/reference/', import.meta.url);
const parts = [memoryPart, durablePart, scalePart, identityPart, guardPart, pacedPart, leastPart, connectionsPart];

interface Measured {
  readonly tables: readonly Table[];
  /** For programs. */
  readonly json: object;
  /** Whether something that was to be measured could not be. */
  readonly failed: boolean;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function measure(part: Part, effort: Effort, certificate: Certificate): Promise<Measured> {
  const outcomes = await run(part.scenarios, part.peers, effort, certificate, say);
  const findings: Finding[] = [];
  for (const study of part.studies) {
    say(study.name);
    findings.push(await study.run(effort, say));
  }
  const floors = [...verdicts(outcomes), ...findings.flatMap(({ verdicts }) => verdicts)];
  const tables = [...outcomeTables(outcomes), ...findings.map(({ table }) => table)];
  if (floors.length > 0) tables.push(verdictTable(floors));
  const measured = outcomes.map(({ scenario, ...outcome }) => ({ scenario: scenario.name, ...outcome }));
  const studied = findings.map(({ table }) => table);
  const failed = outcomes.some(({ median, skipped }) => median === undefined && skipped === undefined);
  return { tables, json: { part: part.name, measured, studied, floors }, failed };
}

async function main(): Promise<number> {
  const [command, ...rest] = process.argv.slice(2);
  if (command === 'policy') {
    cleanUpAtExit();
    const { runPolicyBench } = await import('./policy/run.js');
    return runPolicyBench(rest, say);
  }
  const { help, json, write, effort, chosen } = readArguments(process.argv.slice(2), parts);
  if (help) {
    process.stdout.write(usage);
    return 0;
  }

  cleanUpAtExit();
  const certificate = await makeCertificate(scratchDirectory());
  const colour = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
  const all: object[] = [];
  let failed = false;
  for (const part of chosen) {
    const where = setting(part.peers, new Date());
    const measured = await measure(part, effort, certificate);
    failed ||= measured.failed;
    all.push({ ...where, ...measured.json });
    if (!json) for (const table of measured.tables) process.stdout.write(`${plainText(table, colour)}\n`);
    const { page = 'performance.md' } = part;
    if (write) writeSection(new URL(page, reference), part, section(part, measured.tables, where, effort));
  }
  if (json) process.stdout.write(`${JSON.stringify({ effort, parts: all }, undefined, 2)}\n`);
  return failed ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`);
    process.exit(2);
  },
);
