import { formats, metricNames, metrics, ratioOf } from './format.js';
import type { Bound, Metric, Sample, Scenario } from './scenario.js';

/** What the repeats of one scenario with one peer came to. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly peer: string;
  /** The median of each number over the repeats that were valid; undefined when none was. */
  readonly median: Sample | undefined;
  /** Why repeats do not count. */
  readonly failures: readonly string[];
  /** Why it was not measured at all. */
  readonly skipped?: string;
}

export function median(samples: readonly Sample[]): Sample | undefined {
  if (samples.length === 0) return undefined;
  const medians = metrics.flatMap((metric) => {
    const values = samples.flatMap((sample) => sample[metric] ?? []).sort((a, b) => a - b);
    const upper = values[values.length >> 1];
    const lower = values[(values.length - 1) >> 1];
    return upper === undefined || lower === undefined ? [] : [[metric, (lower + upper) / 2] as const];
  });
  return Object.fromEntries(medians);
}

/** How Moat stands to one floor. */
export interface Verdict {
  readonly title: string;
  readonly quantity: string;
  /** For a person, as `measured`: a bound and the number found, or both as a share of a peer's number. */
  readonly required: string;
  readonly measured: string;
  readonly result: Result;
}

/** `out of reach`: not even a relay, which is no broker, comes so far. */
type Result = 'reached' | 'missed' | 'out of reach';

/** One verdict for each floor for which both sides have been measured. */
export function verdicts(outcomes: readonly Outcome[]): Verdict[] {
  return outcomes
    .filter(({ peer }) => peer === 'moat')
    .flatMap(({ scenario, median }) =>
      scenario.floors.flatMap((floor) => {
        const { metric, against } = floor;
        const own = median?.[metric];
        const base = against === undefined ? 1 : reference(outcomes, scenario, against, metric);
        if (own === undefined || base === undefined) return [];
        const show = against === undefined ? formats[metric] : ratioOf(against);
        const title = `${scenario.title}, ${scenario.name.startsWith('tls-') ? 'TLS' : 'plain'}`;
        const relay = outcomes.find((outcome) => outcome.scenario === scenario && outcome.peer === 'relay')?.median;
        const bare = relay?.[metric];
        const possible = bare === undefined ? undefined : bare / base;
        return [{ title, quantity: metricNames[metric], ...judge(floor, own / base, show, possible) }];
      }),
    );
}

/** Whether a number keeps to its bound; `possible` is what a relay comes to, where there is one, and `bare` its name. */
export function judge(
  bound: Bound,
  measured: number,
  show: (value: number) => string,
  possible?: number,
  bare = 'relay',
): Pick<Verdict, 'required' | 'measured' | 'result'> {
  const most = 'atMost' in bound;
  const limit = most ? bound.atMost : bound.atLeast;
  const keeps = (value: number): boolean => (most ? value <= limit : value >= limit);
  const required = `at ${most ? 'most' : 'least'} ${show(limit)}`;
  if (keeps(measured)) return { required, measured: show(measured), result: 'reached' };
  if (possible === undefined || keeps(possible)) return { required, measured: show(measured), result: 'missed' };
  return { required, measured: `${show(measured)} (${bare}: ${show(possible)})`, result: 'out of reach' };
}

/** A peer's number; of a peer that is measured in two settings (`NAME`, `NAME-…`) the better one. */
function reference(outcomes: readonly Outcome[], scenario: Scenario, peer: string, metric: Metric): number | undefined {
  const values = outcomes
    .filter((outcome) => outcome.scenario === scenario)
    .filter((outcome) => outcome.peer === peer || outcome.peer.startsWith(`${peer}-`))
    .flatMap(({ median }) => median?.[metric] ?? []);
  if (values.length === 0) return undefined;
  return metric === 'perSecond' ? Math.max(...values) : Math.min(...values);
}
