// The part of the package that looks after stores without a broker: `@moat/broker/store`. Apart, since it loads LMDB.
export type { StoreStats } from '../maintenance.js';
export type { QueueEntry, Store } from '../store.js';
export { checkStore, requireSound, type StoreReport } from './check.js';
export { openExistingStore, openLmdbStore } from './open.js';
export { type RepairReport, repairStore } from './repair.js';
