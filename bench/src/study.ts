import type { Verdict } from './outcome.js';
import type { Effort } from './scenario.js';
import type { Table } from './table.js';

/** Something that is measured in its own way, and not for one broker after the other. */
export interface Study {
  /** On the command line. */
  readonly name: string;
  /** `say` is told of each step. */
  run(effort: Effort, say: (line: string) => void): Finding | Promise<Finding>;
}

export interface Finding {
  readonly table: Table;
  readonly verdicts: readonly Verdict[];
}
