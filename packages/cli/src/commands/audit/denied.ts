import type { JournalRecord } from '@moat/broker/audit';
import { formatTable } from '../../output/table.js';
import { formatTime } from '../../output/units.js';

/** Denials that differ in nothing but their time. */
interface Denial {
  readonly rule: string;
  readonly clientId: string | undefined;
  readonly username: string | undefined;
  readonly action: string | undefined;
  readonly topic: string | undefined;
  times: number;
  last: number;
}

/** What the policy denied, by rule and client, and how often. */
export async function showDenied(records: AsyncIterable<JournalRecord>, json: boolean): Promise<void> {
  const denials = await gather(records);
  if (json) return console.log(JSON.stringify(denials, undefined, 2));
  if (denials.length === 0) return console.log('nothing was denied');
  const rows = denials.map(({ rule, clientId = '-', username = '-', action = '-', topic = '-', times, last }) => [
    rule,
    clientId,
    username,
    action,
    topic,
    String(times),
    formatTime(last),
  ]);
  console.log(formatTable(['RULE', 'CLIENT ID', 'USER', 'ACTION', 'TOPIC', 'TIMES', 'LAST'], rows));
  console.log('\nmoat policy explain tells what would have been needed.');
}

async function gather(records: AsyncIterable<JournalRecord>): Promise<Denial[]> {
  const denials = new Map<string, Denial>();
  for await (const { rule = '-', clientId, username, action, topic, count = 1, time } of records) {
    const key = JSON.stringify([rule, clientId, username, action, topic]);
    const denial = denials.get(key) ?? { rule, clientId, username, action, topic, times: 0, last: 0 };
    denial.times += count;
    denial.last = time;
    denials.set(key, denial);
  }
  return [...denials.values()].sort((a, b) => a.rule.localeCompare(b.rule) || b.times - a.times);
}
