import { formats, metricNames, metrics, ratioOf } from './format.js';
import type { Metric, Sample, Scenario } from './scenario.js';

/** What the repeats of one scenario with one peer came to. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly peer: string;
  /** The median of each number over the repeats that were valid; undefined when none was. */
  readonly median: Sample | undefined;
  /** Why repeats do not count. */
  readonly failures: readonly string[];
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
  /** Both in the same unit, or both as a share of a peer's number. */
  readonly atMost: number;
  readonly measured: number;
  readonly reached: boolean;
  /** Writes either of them for a person. */
  show(value: number): string;
}

/** One verdict for each floor for which both sides have been measured. */
export function verdicts(outcomes: readonly Outcome[]): Verdict[] {
  return outcomes
    .filter(({ peer }) => peer === 'moat')
    .flatMap(({ scenario, median }) =>
      scenario.floors.flatMap((floor) => {
        const { metric, against, atMost } = floor;
        const own = median?.[metric];
        const base = against === undefined ? 1 : reference(outcomes, scenario, against, metric);
        if (own === undefined || base === undefined) return [];
        const measured = own / base;
        const show = against === undefined ? formats[metric] : ratioOf(against);
        const title = `${scenario.title}, ${scenario.name.startsWith('tls-') ? 'TLS' : 'plain'}`;
        return [{ title, quantity: metricNames[metric], atMost, measured, reached: measured <= atMost, show }];
      }),
    );
}

/** A peer's number; of a peer that is measured in two settings (`NAME`, `NAME-…`) the lower one. */
function reference(outcomes: readonly Outcome[], scenario: Scenario, peer: string, metric: Metric): number | undefined {
  const values = outcomes
    .filter((outcome) => outcome.scenario === scenario)
    .filter((outcome) => outcome.peer === peer || outcome.peer.startsWith(`${peer}-`))
    .flatMap(({ median }) => median?.[metric] ?? []);
  return values.length === 0 ? undefined : Math.min(...values);
}
