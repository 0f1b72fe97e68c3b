import type { Verdict } from './outcome.js';
import type { Table } from './table.js';

/** Something that is measured inside a process of its own kind, with no broker and no load. */
export interface Study {
  /** On the command line. */
  readonly name: string;
  run(): Finding;
}

interface Finding {
  readonly table: Table;
  readonly verdicts: readonly Verdict[];
}
