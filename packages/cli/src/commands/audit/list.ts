import { followJournal, type JournalRecord, lastRecords, matchesGlob, readJournal } from '@moat/broker/audit';
import type { ConfigurationOptions } from '../../local-broker.js';
import { escapeControls } from '../../output/escape.js';
import { styleFor } from '../../output/style.js';
import { formatTime } from '../../output/units.js';
import { showDenied } from './denied.js';
import { journalOf } from './journal-of.js';

interface ListOptions extends ConfigurationOptions {
  readonly lines: number;
  readonly all?: true;
  readonly since?: number;
  readonly code?: string;
  readonly user?: string;
  readonly clientId?: string;
  readonly address?: string;
  readonly denied?: true;
  readonly follow?: true;
  readonly json?: true;
}

/** The last events, all that match, or those that come. */
export async function listEvents(options: ListOptions): Promise<void> {
  const { json, all, lines, follow, denied } = options;
  const directory = await journalOf(options);
  const isWanted = filterOf(options);
  const since = options.since === undefined ? 0 : Date.now() - options.since * 1000;
  if (denied) return showDenied(readJournal(directory, isWanted, since), json === true);
  const print = json ? (record: JournalRecord) => console.log(JSON.stringify(record)) : printer();
  if (all) {
    for await (const record of readJournal(directory, isWanted, since)) print(record);
    return;
  }
  const coming = follow ? await followUntilSignalled(directory) : [];
  let shown = 0;
  for (const record of await lastRecords(directory, lines, isWanted, since)) {
    print(record);
    shown = record.seq;
  }
  // What came while the last ones were read is among them.
  for await (const record of coming) if (record.seq > shown && isWanted(record)) print(record);
}

function followUntilSignalled(directory: string): Promise<AsyncIterable<JournalRecord>> {
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end.abort());
  return followJournal(directory, end.signal);
}

function filterOf({ code, user, clientId, address, denied }: ListOptions): (record: JournalRecord) => boolean {
  const fits = (glob: string | undefined, text: string | undefined): boolean =>
    glob === undefined || (text !== undefined && matchesGlob(glob, text));
  return (record) =>
    (!denied || record.event === 'policy.denied') &&
    fits(code, record.event) &&
    fits(user, record.username) &&
    fits(clientId, record.clientId) &&
    fits(address, record.address);
}

const bad =
  /failed|denied|theft|rejected|failing|lost|torn|error|refused|revoked|untrusted|expired|withdrawn|unusable|limit/;

/** Time and code, then whatever else there is. */
function printer(): (record: JournalRecord) => void {
  const style = styleFor(process.stdout);
  return ({ seq: _, time, event, prev: __, ...fields }) => {
    const rest = Object.entries(fields).map(([name, value]) => `${style('dim', `${name}=`)}${wordOf(value)}`);
    const code = style(bad.test(event) ? 'red' : 'green', event.padEnd(21));
    console.log(`${style('dim', formatTime(time))}  ${code}  ${rest.join(' ')}`);
  };
}

function wordOf(value: unknown): string {
  const text = escapeControls(String(value));
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
