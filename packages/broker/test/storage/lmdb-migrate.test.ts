import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkStore } from '../../dist/storage/lmdb/check.js';
import { formatKey, retainedKey } from '../../dist/storage/lmdb/keys.js';
import { type Migration, migrate, migrations } from '../../dist/storage/lmdb/migrate.js';
import { createTree, openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { packMessage } from '../../dist/storage/lmdb/records.js';
import type { Tree } from '../../dist/storage/lmdb/tree.js';
import { storeFormat } from '../../dist/storage/lmdb/tree-files.js';
import { inDirectory } from './in-directory.js';
import { allRetained, fullMessage, message, retainedOwners } from './records.js';

async function inTree(body: (tree: Tree) => Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    const tree = createTree(directory);
    try {
      await body(tree);
    } finally {
      await tree.close();
    }
  });
}

const key = retainedKey('t');
const append = (from: number): Migration => ({
  from,
  migrate: (tree) => tree.putSync(key, `${tree.get(key)}${from + 1}`),
});
const breaks: Migration = {
  from: 2,
  migrate: (tree) => {
    tree.putSync(key, 'half');
    throw new Error('broken');
  },
};

describe('The formats of a store', () => {
  it('are brought one to the next', () =>
    inTree(async (tree) => {
      await tree.put(key, '1');
      await migrate(tree, 1, 3, [append(2), append(1)]);
      assert.equal(tree.get(key), '123');
      assert.deepEqual(tree.get(formatKey), ['moat', 3]);
    }));

  it('stay at the last step that was done as a whole', () =>
    inTree(async (tree) => {
      await tree.put(key, '1');
      await assert.rejects(migrate(tree, 1, 3, [append(1), breaks]), /broken/);
      assert.equal(tree.get(key), '12');
      assert.deepEqual(tree.get(formatKey), ['moat', 2]);
      await migrate(tree, 2, 3, [append(2)]);
      assert.equal(tree.get(key), '123');
    }));

  it('begin with 1, of whose retained messages nobody knows whose they are, and which are kept', () =>
    inDirectory(async (directory) => {
      const tree = createTree(directory);
      await tree.put(formatKey, ['moat', 1]);
      const messages = [...Array.from({ length: 3_000 }, (_, each) => message(`t/${each}`)), fullMessage];
      await tree.transaction(() => {
        for (const each of messages) tree.putSync(retainedKey(each.topic), packMessage(each));
      });
      await tree.close();
      const store = await openLmdbStore(directory);
      const retained = await allRetained(store);
      assert.deepEqual(retained, new Map(messages.map((each) => [each.topic, each])));
      assert.deepEqual(new Set((await retainedOwners(store)).values()), new Set([undefined]));
      store.putRetained(message('t/0'), 'user:anna');
      await store.commit();
      await store.close();
      assert.deepEqual((await checkStore(directory)).faults, []);
      const again = await openLmdbStore(directory);
      assert.equal((await retainedOwners(again)).get('t/0'), 'user:anna');
      assert.equal(again.maintenance.stats().format, storeFormat);
      await again.close();
    }));

  it('have a way from every one that there ever was', () => {
    assert.deepEqual(
      migrations.map(({ from }) => from),
      Array.from({ length: storeFormat - 1 }, (_, index) => index + 1),
    );
  });

  it('are not passed over', () =>
    inTree(async (tree) => {
      await assert.rejects(migrate(tree, 1, 3, [append(2)]), /no way leads from format 1 to 2/);
    }));
});
