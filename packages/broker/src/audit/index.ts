export { matchesGlob } from '../glob.js';
export { type JournalRecord, parseRecord } from './chain.js';
export { followJournal } from './follow.js';
export { lastRecords, readJournal } from './read.js';
export { type JournalReport, verifyJournal } from './verify.js';
