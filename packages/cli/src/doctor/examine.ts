import { type Check, type Problem, type Severity, type Subject, severities } from './check.js';

/** Something weak, why that matters, and how to mend it. */
export interface Finding extends Problem {
  readonly code: string;
  readonly severity: Severity;
  readonly why: string;
}

/** What came of all checks. */
export interface Report {
  /** 100 when nothing was found; each code that was found takes its part, once. */
  readonly score: number;
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** What could not be looked at. */
  readonly unknown: readonly { readonly code: string; readonly reason: string }[];
  readonly checked: number;
}

/** Asks all checks. Nothing is changed by any of them. */
export async function examine(checks: readonly Check[], subject: Subject): Promise<Report> {
  const outcomes = await Promise.all(checks.map(async (check) => ({ check, outcome: await check.look(subject) })));
  const findings: Finding[] = [];
  const unknown: { code: string; reason: string }[] = [];
  for (const { check, outcome } of outcomes) {
    const { code, severity, why } = check;
    if ('unknown' in outcome) unknown.push({ code, reason: outcome.unknown });
    else for (const { what, mend } of outcome) findings.push({ code, severity, what, why, mend });
  }
  findings.sort((one, other) => severities[other.severity] - severities[one.severity]);
  return { score: scoreOf(findings), findings, unknown, checked: checks.length - unknown.length };
}

function scoreOf(findings: readonly Finding[]): number {
  const found = new Map(findings.map(({ code, severity }) => [code, severities[severity]]));
  return Math.max(0, 100 - [...found.values()].reduce((sum, weight) => sum + weight, 0));
}
