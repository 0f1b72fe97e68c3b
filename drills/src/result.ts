import type { Attempt, Expectation, Intensity } from './drill.js';
import { type Measured, rateOf } from './workload/measured.js';

/** A span of time before, during or after the attack. */
export type Phase = 'before' | 'during' | 'after';
export const phases = ['before', 'during', 'after'] as const;

/** What others got of the broker meanwhile. */
export interface Effect {
  readonly workload: Readonly<Record<Phase, Measured>>;
  /** Resident bytes of the broker: before, at the most, and after; undefined when its processes are not known. */
  readonly memory: Readonly<Record<Phase, number>> | undefined;
}

/** What became of one drill with one broker. */
export interface Result {
  readonly drill: string;
  readonly peer: string;
  readonly intensity: Intensity;
  readonly attempts: readonly Attempt[];
  readonly effect?: Effect;
  /** Why it was not survived; none when it was. */
  readonly faults: readonly string[];
  /** Why it was not tried at all. */
  readonly skipped?: string;
}

export function survived({ faults, skipped }: Result): boolean {
  return faults.length === 0 && skipped === undefined;
}

/** What was not as it must be: attempts that came through first. */
export function faultsOf(
  attempts: readonly Attempt[],
  effect: Effect | undefined,
  expected: Expectation | undefined,
): readonly string[] {
  const through = attempts.filter((attempt) => !attempt.survived);
  const faults = through.map(({ tried, happened }) => `${tried}: ${happened}`);
  return effect === undefined || expected === undefined ? faults : [...faults, ...suffered(effect, expected)];
}

function* suffered({ workload, memory }: Effect, expected: Expectation): Generator<string> {
  const { before, during } = workload;
  for (const what of ['connects', 'messages'] as const) {
    const share = during[what];
    const least = expected[what];
    // A run that is too short for its share of failures to say anything may have one.
    if (rateOf(share) < least && share.tried - share.succeeded > 1)
      yield `${share.succeeded} of ${share.tried} legitimate ${what} succeeded, fewer than ${100 * least} %`;
  }
  const growth = memory === undefined ? 0 : mebibytes(memory.during - memory.before);
  if (growth > expected.growthMiB) yield `its memory grew by ${growth} MiB, more than ${expected.growthMiB}`;
  if (memory !== undefined && hasRemained(memory, expected))
    yield `its memory has not come back: ${mebibytes(memory.before)} MiB before, ${mebibytes(memory.after)} in the end`;
  const { connectWithin = Number.POSITIVE_INFINITY } = expected;
  const within = Math.max(connectWithin, 2 * (before.connects.p99 ?? 0));
  const p99 = during.connects.p99 ?? 0;
  if (p99 > within) yield `99 of 100 connects took up to ${Math.round(p99)} ms, more than ${Math.round(within)}`;
}

/** Whether more memory is held in the end than may be. */
export function hasRemained(
  memory: Pick<Record<Phase, number>, 'before' | 'after'>,
  { remains }: Expectation,
): boolean {
  return remains !== undefined && memory.after > memory.before * (1 + remains);
}

export function mebibytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
