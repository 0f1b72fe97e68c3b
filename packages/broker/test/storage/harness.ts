import { it } from 'node:test';
import type { Store } from '../../dist/storage/store.js';

/** A store of its own for one test. */
interface StoreUnderTest {
  readonly store: Store;
  /** Closes the store and opens it again: whoever is to keep nothing hands out the same one. */
  reopen(): Promise<Store>;
  dispose(): Promise<void>;
}

export type StoreFactory = () => Promise<StoreUnderTest>;

/** A test that writes, and looks at the store twice: as it is, and as it is found after a restart. */
export type Keeps = (title: string, write: (store: Store) => void, look: (store: Store) => Promise<void>) => void;

export function keepsIn(open: StoreFactory): Keeps {
  return (title, write, look) =>
    it(title, async () => {
      const { store, reopen, dispose } = await open();
      try {
        write(store);
        await look(store);
        await store.commit();
        await look(await reopen());
      } finally {
        await dispose();
      }
    });
}
