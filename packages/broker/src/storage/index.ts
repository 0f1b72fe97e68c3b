export { openLmdbStore } from './lmdb/open.js';
export type { Store } from './store.js';
