/** The tables of a run, as cells; and two ways to write them down. */
import { metricNames, metrics, nothing, show, threeDigits } from './format.js';
import type { Outcome, Verdict } from './outcome.js';

interface Row {
  readonly cells: readonly string[];
  readonly mood?: 'good' | 'bad';
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly Row[];
}

/** One table for each group of scenarios. */
export function outcomeTables(outcomes: readonly Outcome[]): Table[] {
  return [...new Set(outcomes.map(({ scenario }) => scenario.group))].map((group) => groupTable(group, outcomes));
}

function groupTable(group: string, outcomes: readonly Outcome[]): Table {
  const members = outcomes.filter(({ scenario }) => scenario.group === group);
  const shown = metrics.filter((metric) => members.some(({ median }) => median?.[metric] !== undefined));
  return {
    title: group,
    head: ['scenario', 'peer', ...shown.map((metric) => metricNames[metric]), '× Moat'],
    rows: members.map((outcome) => {
      const { scenario, peer, median, failures, skipped = failures[0]?.split('\n')[0] } = outcome;
      const note = median === undefined ? ` (${skipped ?? 'not measured'})` : '';
      const cells = shown.map((metric) => show(median, metric));
      return { cells: [scenario.title, peer + note, ...cells, timesMoat(outcome, outcomes)] };
    }),
  };
}

/** How many times as much as Moat a peer takes, in the first metric that the scenario has a floor for. */
function timesMoat({ scenario, median }: Outcome, outcomes: readonly Outcome[]): string {
  const own = outcomes.find((outcome) => outcome.scenario === scenario && outcome.peer === 'moat');
  const metric = scenario.floors[0]?.metric ?? 'cpu';
  const value = median?.[metric];
  const base = own?.median?.[metric];
  return value === undefined || base === undefined ? nothing : threeDigits(value / base);
}

export function verdictTable(verdicts: readonly Verdict[]): Table {
  return {
    title: 'What Moat has to reach',
    head: ['scenario', 'number', 'required', 'measured', ''],
    rows: verdicts.map(({ title, quantity, required, measured, result }) => ({
      cells: [title, quantity, required, measured, result],
      mood: result === 'reached' ? 'good' : 'bad',
    })),
  };
}

export function markdown({ title, head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = head.map((_, column) => (column < 2 ? '---' : '---:'));
  return [`### ${title}`, '', line(head), line(rule), ...rows.map(({ cells }) => line(cells)), ''].join('\n');
}

const colours = { good: '\u001b[32m', bad: '\u001b[31m', none: '\u001b[0m' };

/** Aligned columns for a terminal or a pipe; colour only when asked for. */
export function plainText({ title, head, rows }: Table, colour: boolean): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  const body = rows.map(({ cells, mood }) => {
    const text = line(cells);
    return colour && mood !== undefined ? `${colours[mood]}${text}${colours.none}` : text;
  });
  return [title, line(head), ...body, ''].join('\n');
}
