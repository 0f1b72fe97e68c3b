import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openLmdbStore } from '@moat/broker/store';
import { run, temporaryDirectory } from '@moat/testkit';
import type { Fault } from '../dist/check/check.js';
import type { SessionClient } from '../dist/client/session-client.js';
import { type ClientPlan, forever } from '../dist/plan.js';
import { Stage } from './stage.js';
import type { How } from './stepping-store.js';

const stored = { version: 5, expiry: forever, absence: 0 } as const;
const cast: readonly ClientPlan[] = [
  { id: 'publisher', ...stored },
  { id: 'keeper', ...stored, version: 4, keeps: ['t/#', 'w/#'] },
  { id: 'changing', ...stored, changes: ['t/#'] },
  { id: 'renewing', ...stored, expiry: 3_600, keeps: ['t/#'], renews: true },
  { id: 'dying', ...stored, will: { topic: 'w/1', delay: 0 } },
  { id: 'reader', version: 5, expiry: 0, absence: 0, keeps: ['r/#'], reads: true },
];

const message = (topic: string, qos: 1 | 2, retain = false) => ({ topic, qos, retain, empty: false });

/** A store that fails takes nothing for a while. */
async function publishUntilTaken(stage: Stage, publisher: SessionClient, topic: string): Promise<void> {
  const { done } = publisher.counts;
  while (publisher.counts.done === done) {
    publisher.send(message(topic, 1), 0);
    await stage.published(publisher);
  }
}

/** Something of everything that is stored, each behind the acknowledgement of what was before it. */
async function play(stage: Stage, at: number): Promise<void> {
  const [publisher, keeper, changing, renewing, dying, reader] = cast.map(({ id }) => stage.client(id));
  assert.ok(publisher && keeper && changing && renewing && dying && reader);
  for (const filter of ['t/#', 'w/#']) {
    await stage.join(keeper);
    await stage.settle(keeper, filter, true);
  }
  await stage.join(renewing);
  await stage.settle(renewing, 't/#', true);
  stage.leave(renewing);
  stage.leave(keeper);

  stage.arm(at);
  await stage.join(publisher);
  for (const qos of [1, 2] as const) publisher.send(message('t/1', qos), 100);
  publisher.send(message('r/1', 1, true), 100);
  await stage.published(publisher);

  await stage.join(changing);
  await stage.settle(changing, 't/#', true);
  publisher.send(message('t/1', 2), 100);
  await stage.published(publisher);
  await stage.settle(changing, 't/#', false);
  publisher.send(message('t/1', 1), 100);
  publisher.send(message('r/1', 1, true), 100);
  await stage.published(publisher);

  await stage.join(keeper);
  for (const qos of [2, 1] as const) publisher.send(message('t/1', qos), 100);
  await stage.published(publisher);

  await stage.join(dying);
  stage.leave(dying);
  renewing.connect(true);
  await stage.join(renewing);
  await stage.settle(renewing, 't/#', true);
  publisher.send(message('t/1', 2), 100);
  await stage.published(publisher);

  await stage.join(reader);
  await stage.settle(reader, 'r/#', true);
  await stage.join(dying);
  stage.leave(dying, 'goodbye');
  await publishUntilTaken(stage, publisher, 't/end');
  for (const client of [keeper, renewing]) await stage.hears(client, 't/end');
  await stage.hears(reader, 'r/1');
}

const group = '$share/g/s/#';
const members: readonly ClientPlan[] = [
  { id: 'publisher', ...stored },
  { id: 'keeping', ...stored, keeps: [group] },
  { id: 'giving', ...stored, expiry: 3_600, keeps: [group], renews: true },
];

/** A member of a shared subscription is away with messages, and gives its session up by a clean start. */
async function playGivingUp(stage: Stage, at: number): Promise<void> {
  const [publisher, keeping, giving] = members.map(({ id }) => stage.client(id));
  assert.ok(publisher && keeping && giving);
  for (const member of [keeping, giving]) {
    await stage.join(member);
    await stage.settle(member, group, true);
    stage.leave(member);
  }
  await stage.join(publisher);
  for (const qos of [1, 1, 1, 1, 2, 2] as const) publisher.send(message('s/1', qos), 100);
  await stage.published(publisher);
  stage.arm(at);
  giving.connect(true);
  await stage.join(giving);
  await stage.join(keeping);
  for (const topic of ['s/end', 's/last']) await publishUntilTaken(stage, publisher, topic);
  await stage.hears(keeping, 's/last');
}

type Play = readonly [cast: readonly ClientPlan[], play: (stage: Stage, at: number) => Promise<void>];

/** Plays it with the fault at one step; whether there was such a step. */
async function playWithFault(directory: string, how: How, at: number, [plans, play]: Play): Promise<boolean> {
  const stage = await Stage.open(join(directory, `${how}-${at}`), plans, how);
  let faults: Fault[] = [];
  try {
    await play(stage, at);
  } finally {
    faults = await stage.close();
  }
  assert.deepEqual(faults, [], `at step ${at}`);
  return stage.wasHit;
}

const atOnce = 8;

/** Plays it again and again, with the fault one step later each time, until there is no such step. */
async function walk(t: TestContext, how: How, whole: Play): Promise<number> {
  const directory = await temporaryDirectory(t);
  for (let first = 1; ; first += atOnce) {
    const steps = Array.from({ length: atOnce }, (_, index) => first + index);
    let hits = 0;
    await t.test(`steps ${first} to ${steps.at(-1)}`, async () => {
      hits = (await Promise.all(steps.map((at) => playWithFault(directory, how, at, whole)))).filter(Boolean).length;
    });
    if (hits < atOnce) return first - 1 + hits;
  }
}

for (const how of ['stops', 'fails'] as const) {
  test(`a broker whose store ${how} between any two steps of a commit keeps what it acknowledged`, async (t) => {
    assert.ok((await walk(t, how, [cast, play])) > 40);
  });

  test(`a member whose session is given up leaves all to the others when the store ${how} [MQTT-4.8.2-5]`, async (t) => {
    assert.ok((await walk(t, how, [members, playGivingUp])) > 20);
  });
}

test('a process that is killed between any two steps of a commit leaves all that it acknowledged, and nothing by halves', async (t) => {
  const directory = await temporaryDirectory(t);
  const writer = fileURLToPath(new URL('dying-writer.js', import.meta.url));
  let killed = true;
  let at = 0;
  while (killed) {
    const path = join(directory, String(++at));
    const { code, stdout } = await run(process.execPath, [writer, path, String(at)]);
    killed = code === null;
    const acknowledged = stdout.split('\n').length - 1;
    const store = await openLmdbStore(path);
    const found: string[] = [];
    for await (const some of store.retained()) found.push(...some.map(({ topic }) => topic));
    await store.close();
    const numbers = [1, 2].slice(0, found.length / 2);
    assert.deepEqual(
      found.sort(),
      ['a', 'b'].flatMap((half) => numbers.map((number) => `${half}/${number}`)),
    );
    assert.ok(numbers.length >= acknowledged, `${numbers.length} of ${acknowledged} at step ${at}`);
  }
  assert.ok(at > 10);
});
