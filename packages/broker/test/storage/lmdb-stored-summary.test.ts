import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { retainedKey } from '../../dist/storage/lmdb/keys.js';
import { createTree, openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { packRetained } from '../../dist/storage/lmdb/records.js';
import { summaryOf } from '../../dist/storage/lmdb/stored-summary.js';
import type { MessageRecord } from '../../dist/storage/store.js';
import { allRetained, message } from './records.js';

const sizes = [0, 1, 31, 32, 255, 256, 65_535, 65_536];
const messages: MessageRecord[] = [
  ...sizes.map((size) => message('t', { payload: Buffer.alloc(size, 0xc0) })),
  ...sizes.slice(1, -1).map((length) => message('t'.repeat(length))),
  message('/é/日本/🦫'),
  ...sizes.slice(1, -1).map((length) => message('t', { publisher: 'p'.repeat(length) })),
  message('t', { publisher: undefined }),
  ...[1, 127, 128, 300, 70_000, 4_294_967_295, 4_294_967_296, Date.now(), 1.5].map((expiresAt) =>
    message('t', { expiresAt }),
  ),
];

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-summary-'));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The bytes of a message as the store writes it. */
async function stored(records: readonly MessageRecord[], owner?: string): Promise<Buffer[]> {
  const all: Buffer[] = [];
  await inDirectory(async (directory) => {
    const tree = createTree(directory);
    const key = retainedKey('key');
    for (const record of records) {
      await tree.put(key, packRetained(record, owner));
      all.push(Buffer.from(tree.getBinary(key) as Buffer));
    }
    await tree.close();
  });
  return all;
}

describe('What is told of a stored message without its payload', () => {
  it('is its topic, whose it is, its length, when it expires, and that it has no properties', async () => {
    for (const owner of [undefined, 'anonymous', ...sizes.map((length) => 'o'.repeat(length))])
      for (const [index, bytes] of (await stored(messages, owner)).entries()) {
        const { topic, payload, expiresAt } = messages[index] as MessageRecord;
        assert.deepEqual(summaryOf(bytes, bytes.length), {
          topic,
          owner,
          payloadLength: payload.length,
          expiresAt,
          hasProperties: false,
        });
      }
  });

  it('is that it has properties, whatever these are', async () => {
    const [bytes = Buffer.alloc(0)] = await stored([message('t', { properties: { contentType: 'text' } })]);
    assert.equal(summaryOf(bytes, bytes.length).hasProperties, true);
  });

  it('is read from the file, however large payloads are, while the store goes on', () =>
    inDirectory(async (directory) => {
      const store = await openLmdbStore(directory);
      const lengths = [0, 3_000, 100_000, 5_000_000];
      for (const length of lengths)
        store.putRetained(message(`t/${length}`, { payload: Buffer.alloc(length) }), 'user:anna');
      store.putRetained(message('t/full', { properties: { contentType: 'text' } }), 'user:anna');
      for (let round = 0; round < 2; round++) {
        const found = await allRetained(store);
        assert.deepEqual([...found.keys()].sort(), [...lengths, 'full'].map((each) => `t/${each}`).sort());
        store.putRetained(message(`t/full`, { payload: Buffer.alloc(10) }), 'user:anna');
      }
      await store.close();
    }));

  it('is nothing for other bytes', async () => {
    const [bytes = Buffer.alloc(0)] = await stored([message('t')]);
    for (const other of [Buffer.alloc(0), Buffer.from('abc'), bytes.subarray(1), Buffer.from([0x97, 0x01])])
      assert.throws(() => summaryOf(other, other.length), RangeError);
    assert.throws(() => summaryOf(bytes, bytes.length + 1), RangeError);
  });
});
