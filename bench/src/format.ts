/** Numbers as the tables show them. */
import type { Metric, Sample } from './scenario.js';

/** In the order of the columns. */
export const metrics: readonly Metric[] = ['cpu', 'perSecond', 'p50', 'p99', 'memory', 'busy'];

export const metricNames: Record<Metric, string> = {
  cpu: 'broker CPU µs each',
  perSecond: 'per second',
  p50: 'p50 ms',
  p99: 'p99 ms',
  memory: 'memory',
  busy: 'busy',
};

export const formats: Record<Metric, (value: number) => string> = {
  cpu: threeDigits,
  perSecond: (value) => Math.round(value).toLocaleString('en-US'),
  p50: threeDigits,
  p99: threeDigits,
  memory: (value) => (value >= 1e6 ? `${(value / 1e6).toFixed(0)} MB` : `${(value / 1000).toFixed(1)} kB`),
  busy: (value) => `${Math.round(value * 100)} %`,
};

/** What a cell shows where nothing was measured. */
export const nothing = '–';

export function show(sample: Sample | undefined, metric: Metric): string {
  const value = sample?.[metric];
  return value === undefined ? nothing : formats[metric](value);
}

/** Shows a share as a person would say it: `1/12 of mosquitto`, `0.85 of mosquitto`, `2 × mosquitto`. */
export function ratioOf(peer: string): (value: number) => string {
  return (value) => {
    if (value < 0.75) return `1/${Number((1 / value).toFixed(1))} of ${peer}`;
    return `${Number(value.toFixed(2))} ${value > 1 ? '×' : 'of'} ${peer}`;
  };
}

export function threeDigits(value: number): string {
  if (value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}
