import { verifyJournal } from '@moat/broker/audit';
import type { ConfigurationOptions } from '../../local-broker.js';
import { escapeControls } from '../../output/escape.js';
import { Progress } from '../../output/progress.js';
import { formatPairs } from '../../output/table.js';
import { formatTime } from '../../output/units.js';
import { journalOf } from './journal-of.js';

interface VerifyOptions extends ConfigurationOptions {
  readonly head?: string;
  readonly json?: true;
}

/** Whether the journal is as it was written. */
export async function verifyEvents({ head, json, ...options }: VerifyOptions): Promise<void> {
  const directory = await journalOf(options);
  const progress = new Progress();
  const report = await verifyJournal(directory, head, (file) => progress.show(file));
  progress.clear();
  const { files, records, first, last, torn, problems } = report;
  if (problems.length > 0) process.exitCode = 1;
  if (json) return console.log(JSON.stringify(report, undefined, 2));
  const span = first && last && `${first.seq} to ${last.seq}, ${formatTime(first.time)} to ${formatTime(last.time)}`;
  console.log(
    formatPairs([
      ['journal', directory],
      ['files', String(files)],
      ['records', `${records}${span ? ` (${span})` : ''}`],
      ...torn.map((place) => ['cut short by a crash', place] as const),
      ['head', report.head],
    ]),
  );
  console.log(
    problems.length === 0 ? '\nNothing is wrong with it.' : `\nWrong:\n${problems.map(escapeControls).join('\n')}`,
  );
}
