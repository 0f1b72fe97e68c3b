import type { Configuration } from '@moat/broker';
import type { Host } from './host.js';

/** How much a finding takes from the score of 100. */
export const severities = { critical: 40, high: 15, medium: 5, low: 1 } as const;

export type Severity = keyof typeof severities;

/** What is looked at. */
export interface Subject {
  readonly configuration: Configuration;
  /** Where it is written; undefined when the defaults hold. */
  readonly file: string | undefined;
  readonly host: Host;
  /** Of the running broker; undefined when none answers. */
  readonly pid: number | undefined;
  readonly now: Date;
}

/** Something weak, and what to type or write against it. */
export interface Problem {
  readonly what: string;
  readonly mend: string;
}

/** What was found; or why it could not be looked at here. */
export type Outcome = readonly Problem[] | { readonly unknown: string };

/** One question to host or configuration. */
export interface Check {
  /** Never changes its meaning. */
  readonly code: string;
  readonly severity: Severity;
  /** What is well when nothing is found. */
  readonly expects: string;
  /** What may come of it otherwise. */
  readonly why: string;
  look(subject: Subject): Outcome | Promise<Outcome>;
}

/** A problem where something holds, and none otherwise. */
export function when(holds: boolean, what: string, mend: string): readonly Problem[] {
  return holds ? [{ what, mend }] : [];
}
