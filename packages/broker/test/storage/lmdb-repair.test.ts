import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { open } from 'lmdb';
import { OperatorError } from '../../dist/errors.js';
import { checkStore } from '../../dist/storage/lmdb/check.js';
import { countKey, queueKey, retainedKey, sessionKey } from '../../dist/storage/lmdb/keys.js';
import { openLmdbStore } from '../../dist/storage/lmdb/open.js';
import { repairStore } from '../../dist/storage/lmdb/repair.js';
import { inDirectory } from './in-directory.js';
import { allRetained, allSessions, entry, message, plain, session, subscription } from './records.js';

const sessions = 40;
const queued = 30;
const retained = 400;
const pageSize = 4_096;

/** Sessions with subscriptions, received and queued messages, some shared by all; retained messages, some large. */
async function filled(directory: string): Promise<string> {
  const store = await openLmdbStore(directory);
  const shared = message('shared', { payload: Buffer.alloc(300, 1) });
  for (let each = 0; each < sessions; each++) {
    const clientId = `client-${each}`;
    store.putSession(session(clientId));
    for (let filter = 0; filter < 5; filter++) store.putSubscription(clientId, subscription(`${clientId}/${filter}/#`));
    store.putReceived(clientId, { packetId: 7, message: message('r') });
    store.enqueue(clientId, entry(1, { message: shared }));
    for (let position = 2; position <= queued; position++)
      store.enqueue(
        clientId,
        entry(position, { message: message(`t/${position}`, { payload: Buffer.alloc(200, 3) }) }),
      );
    store.release(clientId, queued);
  }
  for (let each = 0; each < retained; each++)
    store.putRetained(
      message(`r/${each}`, { payload: Buffer.alloc(each % 50 === 0 ? 10_000 : 500, each) }),
      'user:anna',
    );
  await store.close();
  return join(directory, 'data.mdb');
}

const everything = {
  sessions,
  subscriptions: 5 * sessions,
  received: sessions,
  queued: queued * sessions,
  retained,
};

/** Changes rows as no broker would. */
async function tamper(directory: string, change: (tree: ReturnType<typeof open<unknown, Uint8Array>>) => void) {
  const tree = open<unknown, Uint8Array>({ path: directory, noSubdir: false, keyEncoding: 'binary' });
  await tree.transaction(() => change(tree));
  await tree.close();
}

async function repaired(from: string, to: string) {
  const report = await repairStore(from, to);
  const found = await checkStore(to);
  assert.deepEqual(found.faults, []);
  assert.deepEqual(found.counts, report.kept);
  return report;
}

describe('Checking a store', () => {
  it('counts what a sound one holds, and finds nothing wrong', () =>
    inDirectory(async (directory) => {
      await filled(directory);
      const reported: number[] = [];
      const { counts, faults, format } = await checkStore(directory, (rows) => reported.push(rows));
      assert.deepEqual(faults, []);
      assert.deepEqual(counts, everything);
      assert.equal(format, 2);
    }));

  it('finds rows that are missing, left over or wrong', () =>
    inDirectory(async (directory) => {
      await filled(directory);
      await tamper(directory, (tree) => {
        tree.removeSync(sessionKey(3));
        tree.removeSync(queueKey(5, 4));
        tree.putSync(countKey(1), 2);
        tree.putSync(retainedKey('r/1'), 'no message');
        tree.putSync(Buffer.from('x'), 1);
      });
      const { faults } = await checkStore(directory);
      assert.deepEqual([...faults].sort(), [
        '2 rows make no sense',
        `a message that ${sessions} queue entries refer to counts 2`,
        'the queue of "client-4" holds 29 messages, and counts 30',
        'the record of a session with 6 rows is missing',
        `the session of a queue of ${queued} messages is missing`,
      ]);
    }));

  it('is refused while a broker has it open, and where there is none', () =>
    inDirectory(async (directory) => {
      await assert.rejects(checkStore(directory), { name: OperatorError.name, code: 'data_dir.unusable' });
      const store = await openLmdbStore(directory);
      await assert.rejects(checkStore(directory), { name: OperatorError.name, code: 'store.in_use' });
      await store.close();
    }));
});

describe('Repairing a store', () => {
  it('keeps all of a sound one', () =>
    inDirectory(async (directory) => {
      const from = join(directory, 'from');
      const to = join(directory, 'to');
      await filled(from);
      assert.deepEqual(await repaired(from, to), { kept: everything, lost: [] });
      const [before, after] = [await openLmdbStore(from), await openLmdbStore(to)];
      assert.deepEqual(await allSessions(after), await allSessions(before));
      assert.deepEqual(await allRetained(after), await allRetained(before));
      const queueOf = async (store: typeof before) =>
        (await store.readQueue('client-9', 0, 100)).map((each) => ({ ...each, message: plain(each.message) }));
      assert.deepEqual(await queueOf(after), await queueOf(before));
      await before.close();
      await after.close();
    }));

  it('leaves out what belongs to nothing any more, and says so', () =>
    inDirectory(async (directory) => {
      const [from, to] = [join(directory, 'from'), join(directory, 'to')];
      await filled(from);
      await tamper(from, (tree) => {
        tree.removeSync(sessionKey(3));
        tree.putSync(retainedKey('r/1'), 'no message');
      });
      const { kept, lost } = await repaired(from, to);
      assert.equal(kept.sessions, sessions - 1);
      assert.deepEqual(lost, [
        `${queued} queued messages of lost sessions: "client-2", ${Array.from({ length: 19 }, (_, at) => `"client-2" "t/${at + 2}"`).join(', ')}, …`,
        `5 subscriptions of lost sessions: ${[0, 1, 2, 3, 4].map((each) => `"client-2" "client-2/${each}/#"`).join(', ')}`,
        '1 QoS 2 messages received, of lost sessions: "client-2" "r"',
        '1 sessions: "client-2"',
        '1 rows that make no sense',
      ]);
    }));

  it('loses no more than what lay on the page that was lost, and nothing with a branch, whichever it is', () =>
    inDirectory(async (directory) => {
      const from = join(directory, 'from');
      const file = await filled(from);
      const sound = await readFile(file);
      let branches = 0;
      for (let page = 2; page * pageSize < sound.length; page += page < 12 ? 1 : 7) {
        const at = page * pageSize;
        const flags = sound.readUIntLE(at, 6) === page ? sound.readUInt16LE(at + 18) : 0;
        const isBranch = flags === 1;
        await writeFile(file, Buffer.from(sound).fill(0, at, at + pageSize));
        const to = join(directory, `to-${page}`);
        const { kept, lost } = await repaired(from, to);
        const missing = (kind: keyof typeof everything) => everything[kind] - kept[kind];
        if (isBranch) {
          branches++;
          assert.deepEqual(kept, everything, `page ${page}`);
        } else if (flags !== 2) assert.ok(missing('retained') <= 1, `page ${page}`);
        else if (missing('sessions') === 0) assert.ok(missing('queued') + missing('retained') <= 100, `page ${page}`);
        if (missing('retained') + missing('queued') > 0) assert.ok(lost.length > 0);
        assert.deepEqual((await checkStore(from)).faults.length > 0, lost.length > 0, `page ${page}`);
        await (await openLmdbStore(to)).close();
        await rm(to, { recursive: true });
      }
      assert.ok(branches > 0);
      await writeFile(file, sound);
    }));

  it('goes by the other of the two first pages when one is lost', () =>
    inDirectory(async (directory) => {
      const from = join(directory, 'from');
      const file = await filled(from);
      const sound = await readFile(file);
      let whole = 0;
      for (const page of [0, 1]) {
        await writeFile(file, Buffer.from(sound).fill(0, page * pageSize, (page + 1) * pageSize));
        const { kept, lost } = await repaired(from, join(directory, `to-${page}`));
        if (kept.queued === everything.queued && kept.retained === everything.retained) whole++;
        assert.match(
          lost[0] ?? '',
          /^what the last commit wrote, perhaps: its (first|second) page is not what it was$/,
        );
        assert.match((await checkStore(from)).faults[0] ?? '', /page is not what it was$/);
      }
      assert.ok(whole >= 1);
      await writeFile(file, Buffer.from(sound).fill(0, 0, 2 * pageSize));
      await assert.rejects(repairStore(from, join(directory, 'to')), { code: 'store.damaged' });
    }));

  it('comes to an end with whatever bytes there are, and never throws but what it says', () =>
    inDirectory(async (directory) => {
      const from = join(directory, 'from');
      const file = await filled(from);
      const sound = await readFile(file);
      let seed = 4_711;
      const random = (below: number): number => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        return Math.floor((seed / 2_147_483_648) * below);
      };
      for (let round = 0; round < 60; round++) {
        const bytes = Buffer.from(sound);
        for (let flips = 1 + random(200); flips > 0; flips--) bytes[random(bytes.length)] = random(256);
        // Headers of pages more often than their share.
        for (let flips = random(10); flips > 0; flips--)
          bytes[random(bytes.length / pageSize) * pageSize + random(40)] = random(256);
        await writeFile(file, random(4) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
        const to = join(directory, `to-${round}`);
        try {
          await checkStore(from);
          await repaired(from, to);
        } catch (error) {
          assert.ok(error instanceof OperatorError, `${String((error as Error).stack)} in round ${round}`);
        }
        await rm(to, { recursive: true, force: true });
      }
    }));

  it('writes into no directory that has something in it', () =>
    inDirectory(async (directory) => {
      await filled(directory);
      await assert.rejects(repairStore(directory, directory), /is not empty/);
    }));
});
