import { writeFileSync } from 'node:fs';
import { readArguments, usage } from './arguments.js';
import { verdicts } from './outcome.js';
import { aedes } from './peer/aedes.js';
import { makeCertificate } from './peer/certificate.js';
import { moat } from './peer/moat.js';
import { mosquitto } from './peer/mosquitto.js';
import { cleanUpAtExit, temporaryDirectory } from './processes.js';
import { page, setting } from './report.js';
import { run } from './run.js';
import { codecStudy } from './scenarios/codec-study.js';
import { connectionScenarios } from './scenarios/connections.js';
import { messageScenarios } from './scenarios/messages.js';
import { subscriptionStudy } from './scenarios/subscriptions.js';
import { outcomeTables, plainText, verdictTable } from './table.js';

const performancePage = new URL('../../docs/reference/performance.md', import.meta.url);
const everything = {
  scenarios: [...messageScenarios, ...connectionScenarios],
  studies: [codecStudy, subscriptionStudy],
  peers: [moat, mosquitto(true), mosquitto(false), aedes],
};

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<number> {
  const { help, json, write, effort, scenarios, studies, peers } = readArguments(process.argv.slice(2), everything);
  if (help) {
    process.stdout.write(usage);
    return 0;
  }

  cleanUpAtExit();
  const certificate = makeCertificate(temporaryDirectory());
  const outcomes = await run(scenarios, peers, effort, certificate, say);
  const findings = studies.map((study) => {
    say(study.name);
    return study.run();
  });
  const where = setting(peers, new Date());
  const floors = [...verdicts(outcomes), ...findings.flatMap(({ verdicts }) => verdicts)];
  const results = [...outcomeTables(outcomes), ...findings.map(({ table }) => table)];
  if (floors.length > 0) results.push(verdictTable(floors));

  if (json) {
    const measured = outcomes.map(({ scenario, ...outcome }) => ({ scenario: scenario.name, ...outcome }));
    const studied = findings.map(({ table }) => table);
    process.stdout.write(`${JSON.stringify({ ...where, effort, measured, studied, floors }, undefined, 2)}\n`);
  } else {
    const { NO_COLOR } = process.env;
    const colour = process.stdout.isTTY && NO_COLOR === undefined;
    for (const table of results) process.stdout.write(`${plainText(table, colour)}\n`);
  }
  if (write) writeFileSync(performancePage, page(results, where, effort));
  return outcomes.some(({ median }) => median === undefined) ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    process.stderr.write(`bench: ${error.message}\n`);
    process.exit(2);
  },
);
