import type { Audit } from './audit.js';
import { Journal, type JournalLimits } from './journal.js';
import type { Log } from './log.js';

/** The part of the configuration that is about the journal. */
export interface JournalSettings extends JournalLimits {
  readonly keep: Audit['keep'];
  readonly when_unwritable: 'continue' | 'refuse';
}

/** From here on events are kept in a directory. @throws OperatorError `data_dir.unusable` */
export async function keepJournal(
  audit: Audit,
  directory: string,
  settings: JournalSettings,
  log: Log,
): Promise<Journal> {
  const journal = await Journal.open(directory, settings, log, (failure) => {
    if (failure === undefined) audit.record('audit.recovered', {});
    else audit.record('audit.failing', { reason: failure.message });
  });
  audit.keeper = journal;
  keepBy(audit, journal, settings);
  return journal;
}

/** Other settings come into force. */
export function keepBy(audit: Audit, journal: Journal, settings: JournalSettings): void {
  journal.limits = settings;
  audit.keep = settings.keep;
  audit.lenient = settings.when_unwritable === 'continue';
}
