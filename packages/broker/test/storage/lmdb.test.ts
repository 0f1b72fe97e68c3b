import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import type { StoreFactory } from './harness.js';
import { storeModel } from './store.model.js';
import { storeSuite } from './store.suite.js';

const open: StoreFactory = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'moat-lmdb-'));
  const first = await openLmdbStore(directory);
  let current = first;
  const reopen = async () => {
    await current.close();
    current = await openLmdbStore(directory);
    return current;
  };
  const dispose = async () => {
    await current.close();
    await rm(directory, { recursive: true });
  };
  return { store: first, reopen, dispose };
};

storeSuite('LMDB', open);
storeModel('LMDB', open, 100);
