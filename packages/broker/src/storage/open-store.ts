import { join } from 'node:path';
import { MemoryStore } from './memory.js';
import type { Store } from './store.js';

/** The engine is loaded when it is needed: memory needs none. */
export async function openStore(engine: 'lmdb' | 'memory', dataDir: string): Promise<Store> {
  if (engine === 'memory') return new MemoryStore();
  const { openLmdbStore } = await import('./lmdb/open.js');
  return openLmdbStore(join(dataDir, 'store'));
}
