import { MemoryStore } from '../../dist/storage/memory.js';
import type { StoreFactory } from './harness.js';
import { storeModel } from './store.model.js';
import { storeSuite } from './store.suite.js';

const open: StoreFactory = async () => {
  const store = new MemoryStore();
  // What it holds lives as long as the process: a broker that starts again within it finds the same.
  const reopen = async (): Promise<MemoryStore> => {
    await store.close();
    return store;
  };
  return { store, reopen, dispose: () => store.close() };
};

storeSuite('memory', open);
storeModel('memory', open);
