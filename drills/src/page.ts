import { cpus } from 'node:os';
import { drills } from './attacks/index.js';
import type { Drill } from './drill.js';
import type { Result } from './result.js';
import { cellsOf, tableHead } from './table.js';

/** How many of the attempts that came through are told of each drill and broker. */
const told = 12;

/** A reference page of Markdown about what was run. */
export function resiliencePage(
  results: readonly Result[],
  some: readonly Drill[],
  versions: readonly string[],
  now: Date,
): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(' | ')} |`;
  const rule = tableHead.map((_, column) => (column < 3 ? '---' : '---:'));
  return `# Resilience

Attacks that are run against a broker on loopback, one fresh broker each, with the same users, rights and certificates and
otherwise as it comes. \`npm run drill --${named(some)} --compare --write\` runs them; \`moat drill\` runs the same for you
([how](../guides/drills.md)).

Measured at ${results[0]?.intensity ?? 'full'} intensity on ${now.toISOString().slice(0, 10)}, on ${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}; ${versions.join(', ')}.

*Through* counts attempts that a right broker would not have answered so. Where others use the broker meanwhile, *connects*
and *messages* are the share of theirs that succeeded in time (a second; at small intensity ten) during the attack; p99 is in milliseconds, and memory
in MiB, each before / during (memory: at the most) / after.

${[line(tableHead), line(rule), ...results.map((result) => line(cellsOf(result)))].join('\n')}

${some.map((drill) => section(drill, results)).join('\n')}`;
}

/** On the command line: nothing for all of them. */
function named(some: readonly Drill[]): string {
  return some.length === drills.length ? '' : ` ${some.map(({ name }) => name).join(' ')}`;
}

function section({ name, summary, seenIn, unit, intensity }: Drill, results: readonly Result[]): string {
  const of = results.filter(({ drill }) => drill === name);
  const { count, seconds } = intensity[of[0]?.intensity ?? 'full'];
  const own = of.flatMap(findings);
  const lines = own.length === 0 ? [] : [...own, ''];
  return [
    `## ${name}`,
    '',
    `${summary}. At most ${count} ${unit} in ${seconds} s. Seen in: ${seenIn}.`,
    '',
    ...lines,
  ].join('\n');
}

function findings({ peer, faults }: Result): string[] {
  const more = faults.length > told ? [`- ${peer}: and ${faults.length - told} more`] : [];
  return [...faults.slice(0, told).map((fault) => `- ${peer}: ${escaped(fault)}`), ...more];
}

/** What would be markup in a cell. */
function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('*', '\\*').replaceAll('_', '\\_');
}
