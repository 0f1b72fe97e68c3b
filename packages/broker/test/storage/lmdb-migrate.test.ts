import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatKey, retainedKey } from '../../dist/storage/lmdb/keys.js';
import { type Migration, migrate, migrations } from '../../dist/storage/lmdb/migrate.js';
import { createTree } from '../../dist/storage/lmdb/open.js';
import type { Tree } from '../../dist/storage/lmdb/tree.js';
import { storeFormat } from '../../dist/storage/lmdb/tree-files.js';

async function inTree(body: (tree: Tree) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-migrate-'));
  const tree = createTree(directory);
  try {
    await body(tree);
  } finally {
    await tree.close();
    await rm(directory, { recursive: true });
  }
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
