import { hash } from 'node:crypto';
import type { AuditCode, AuditFields } from './audit.js';

/** One line of the journal, as it was written. */
export interface JournalRecord extends AuditFields {
  /** Counts up by one from record to record, through all files. */
  readonly seq: number;
  /** Wall-clock milliseconds. */
  readonly time: number;
  readonly event: AuditCode;
  /** SHA-256 of the line before, as hexadecimal. */
  readonly prev: string;
}

/** Where a chain has got to. */
export interface ChainEnd {
  readonly seq: number;
  /** SHA-256 of the last line: whoever keeps it can tell later whether all up to here is still there. */
  readonly head: string;
}

/** What the first record of all is chained to. */
export const beginning: ChainEnd = { seq: 0, head: '0'.repeat(64) };

/** Ends a line that a crash cut short; no line of JSON ends with it. */
export const tornMark = '#torn';

/** Characters of one field that are kept: what a client sent may be long. */
const longestField = 1_024;

/** SHA-256 of a line without its line end. */
export function hashOf(line: string): string {
  return hash('sha256', line);
}

/** The next line of a chain, without its line end. */
export function lineBehind(end: ChainEnd, time: number, event: AuditCode, fields: AuditFields): string {
  const clipped = Object.entries(fields).map(([name, value]) => [name, clip(value)]);
  return JSON.stringify({ seq: end.seq + 1, time, event, ...Object.fromEntries(clipped), prev: end.head });
}

function clip(value: unknown): unknown {
  return typeof value === 'string' && value.length > longestField ? `${value.slice(0, longestField)}…` : value;
}

/** Undefined for a line that is no record. */
export function parseRecord(line: string): JournalRecord | undefined {
  if (line.endsWith(tornMark)) return undefined;
  try {
    const value = JSON.parse(line) as JournalRecord;
    const known = Number.isInteger(value.seq) && Number.isFinite(value.time) && typeof value.event === 'string';
    return known && typeof value.prev === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
