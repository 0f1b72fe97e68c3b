import { Policy, readPolicy } from '@moat/broker/policy';
import { medianOf } from '../median.js';
import { judge, type Verdict } from '../outcome.js';
import type { Table } from '../table.js';
import { cached, casbin, cedarWasm, type Engine, subjectOf, uncached } from './engines.js';
import { fleet, policyText, type Question, questions, rulesEach } from './fleet.js';

const sizes = [10, 1_000, 100_000] as const;
/** Milliseconds for one engine with one number of rules, in turns of which the median counts. */
const budget = 1_500;
const turns = 9;
const asked = 20_000;

export interface Measured {
  readonly tables: readonly Table[];
  readonly verdicts: readonly Verdict[];
}

/** How long a decision takes, beside other engines, and what it takes to get there. */
export async function measureDecisions(say: (line: string) => void): Promise<Measured> {
  const rows: { rules: number; engine: string; nanoseconds: number }[] = [];
  let compile = { read: 0, compile: 0, bind: 0 };
  for (const size of sizes) {
    const rules = fleet(size);
    const started = performance.now();
    const text = readPolicy(policyText(rules), 'policy.yaml');
    const read = performance.now() - started;
    const compiling = medianOf(Array.from({ length: 3 }, () => timeOf(() => Policy.of(text, 'deny'))));
    const policy = Policy.of(text, 'deny');
    const subjects = size / rulesEach;
    const bind = timeOf(() => {
      for (let subject = 0; subject < subjects; subject++) policy.bind(subjectOf(subject));
    });
    compile = { read, compile: compiling, bind: (bind / subjects) * 1_000 };
    const engines = [
      () => uncached(policy, subjects),
      () => cached(policy, subjects),
      () => casbin(rules),
      () => cedarWasm(rules),
    ];
    for (const make of engines) {
      const engine = await make();
      const nanoseconds = measure(engine, questionsFor(engine, size));
      rows.push({ rules: size, engine: engine.name, nanoseconds });
      say(`${size} rules, ${engine.name}: ${nanoseconds.toFixed(0)} ns`);
    }
  }
  return { tables: [decisionTable(rows), compileTable(compile)], verdicts: verdictsOf(rows, compile) };
}

/** What is cached is asked again and again: a device publishes to few topics. */
function questionsFor({ name }: Engine, rules: number): Question[] {
  return questions(rules, name === 'moat, cached' ? 500 : asked);
}

/** Nanoseconds for one decision, the median of some turns. Throws when an answer is wrong. */
function measure({ name, decide }: Engine, about: readonly Question[]): number {
  for (const question of about.slice(0, 50))
    if (decide(question) !== question.allowed) throw new Error(`${name} errs at ${question.topic}`);
  const samples: number[] = [];
  const end = performance.now() + budget;
  for (let turn = 0, next = 0; turn < turns || performance.now() < end; turn++) {
    const until = performance.now() + budget / turns;
    let decided = 0;
    let allowed = 0;
    const start = process.hrtime.bigint();
    do {
      // The clock is looked at once in a while: it costs as much as a decision.
      const block = Math.min(about.length, decided === 0 ? 1 : decided);
      for (let index = 0; index < block; index++) {
        if (decide(about[next] as Question)) allowed++;
        next = next + 1 === about.length ? 0 : next + 1;
      }
      decided += block;
    } while (performance.now() < until);
    samples.push(Number(process.hrtime.bigint() - start) / decided);
    if (allowed > decided) throw new Error('unreachable');
    if (turn >= turns - 1 && performance.now() >= end) break;
  }
  return medianOf(samples);
}

function timeOf(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function decisionTable(rows: readonly { rules: number; engine: string; nanoseconds: number }[]): Table {
  const format = (value: number) => Math.round(value).toLocaleString('en-US');
  return {
    title: 'Decisions',
    head: ['rules', 'engine', 'ns each', 'per second'],
    rows: rows.map(({ rules, engine, nanoseconds }) => ({
      cells: [rules.toLocaleString('en-US'), engine, format(nanoseconds), format(1e9 / nanoseconds)],
    })),
  };
}

function compileTable({ read, compile, bind }: { read: number; compile: number; bind: number }): Table {
  return {
    title: '100,000 rules over 10,000 subjects',
    head: ['step', 'where', 'time'],
    rows: [
      { cells: ['read, from YAML to rules', 'in a thread of its own', `${(read / 1_000).toFixed(1)} s`] },
      { cells: ['compile, from rules to a policy', 'in slices', `${compile.toFixed(0)} ms`] },
      { cells: ['bind, for each client', 'in slices', `${bind.toFixed(1)} µs`] },
    ],
  };
}

function verdictsOf(
  rows: readonly { rules: number; engine: string; nanoseconds: number }[],
  { compile }: { compile: number },
): Verdict[] {
  const of = (engine: string) =>
    rows.find((row) => row.rules === 100_000 && row.engine === engine)?.nanoseconds ?? Number.NaN;
  const verdict = (title: string, quantity: string, atMost: number, measured: number, unit: string): Verdict => ({
    title,
    quantity,
    ...judge({ atMost }, measured, (value) => `${value.toFixed(0)} ${unit}`),
  });
  return [
    verdict('100,000 rules', 'compile', 2_000, compile, 'ms'),
    verdict('a decision, 100,000 rules', 'not cached', 2_000, of('moat'), 'ns'),
    verdict('a decision, 100,000 rules', 'cached', 100, of('moat, cached'), 'ns'),
  ];
}
