import { mebibytes, type Phase, phases, type Result, survived } from './result.js';
import { rateOf, type Share } from './workload/measured.js';

export const tableHead = [
  'attack',
  'broker',
  'outcome',
  'attempts',
  'through',
  'connects',
  'messages',
  'p99 connect',
  'p99 message',
  'memory',
] as const;

const nothing = '-';

/** A result as the cells of a table: before / during / after where there are three. */
export function cellsOf(result: Result): string[] {
  const { drill, peer, skipped, attempts, effect } = result;
  if (skipped !== undefined) return [drill, peer, `not tried: ${skipped}`, ...tableHead.slice(3).map(() => nothing)];
  const through = attempts.filter((attempt) => !attempt.survived).length;
  const all = [drill, peer, survived(result) ? 'survived' : 'not survived', String(attempts.length), String(through)];
  if (effect === undefined) return [...all, ...tableHead.slice(all.length).map(() => nothing)];
  const { workload, memory } = effect;
  const each = (show: (phase: Phase) => string): string => phases.map(show).join(' / ');
  return [
    ...all,
    percent(workload.during.connects),
    percent(workload.during.messages),
    each((phase) => milliseconds(workload[phase].connects)),
    each((phase) => milliseconds(workload[phase].messages)),
    memory === undefined ? nothing : each((phase) => `${mebibytes(memory[phase])}`),
  ];
}

function percent(share: Share): string {
  return `${Number((100 * rateOf(share)).toFixed(2))} %`;
}

function milliseconds({ p99 }: Share): string {
  return p99 === undefined ? nothing : p99.toFixed(p99 < 10 ? 1 : 0);
}
