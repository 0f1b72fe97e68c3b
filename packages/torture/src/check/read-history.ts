import { join } from 'node:path';
import { workers } from '../plan.js';
import type { BrokerEvent, ClientEvent } from '../record/event.js';
import { readRecord } from '../record/record-file.js';
import { type ClientRecord, type History, historyOf } from './history.js';

/** Reads what all clients and the broker's keeper have recorded in a directory. */
export function readHistory(directory: string): History {
  const plans = workers.flat();
  const records = new Map<string, ClientRecord>();
  for (const { id } of plans) records.set(id, readRecord<ClientEvent>(join(directory, `${id}.jsonl`)));
  return historyOf(plans, records, readRecord<BrokerEvent>(join(directory, 'broker.jsonl')));
}
