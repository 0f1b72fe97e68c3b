import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkStore, openLmdbStore } from '@moat/broker/store';
import { connect } from '@moat/client';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';

const configuration = `listeners: [{ protocol: mqtt, port: 0 }]
authentication: { allow_anonymous: true }
authorization: { default: allow }
limits: { profile: off }
`;

const cycles = 6;
const deletedPerCycle = 10;
const victims = Array.from({ length: cycles * deletedPerCycle }, (_, number) => `member-${number}`);
const members = [...victims, 'heir'];
const jobs = 300;
const ownMessages = 20;

const cwd = join(await temporaryDirectory(), 'deleted-sessions');

/** Resolves when the broker says that it has done it; rejects when it is gone before. */
function remove(query: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socketPath = join(cwd, 'moat-data', 'admin.sock');
    const asked = request({ socketPath, method: 'DELETE', path: query }, (response) => {
      response.once('error', reject).resume();
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(query))));
    });
    asked.once('error', reject).end();
  });
}

/** A group whose members are all away, with jobs for any of them, and messages for each. */
async function fill(port: number): Promise<void> {
  const at = { protocol: 'mqtt', host: '127.0.0.1', port, reconnect: false, cleanStart: false } as const;
  for (const clientId of members) {
    const member = await connect({ ...at, clientId, properties: { sessionExpiryInterval: 3_600 } });
    await member.subscribe('$share/g/jobs/#', { qos: 1 });
    await member.subscribe(`own/${clientId}`, { qos: 1 });
    await member.close();
  }
  const publisher = await connect({ ...at, clientId: 'publisher' });
  const topics = Array.from({ length: jobs }, (_, number) => `jobs/${number}`);
  for (const clientId of members) topics.push(...new Array<string>(ownMessages).fill(`own/${clientId}`));
  await Promise.all(topics.map((topic) => publisher.publish(topic, 'x', { qos: 1 })));
  await publisher.close();
}

/** What the store has of the sessions: each is whole, and every job is in one of them. */
async function look(): Promise<Set<string>> {
  const directory = join(cwd, 'moat-data', 'store');
  const store = await openLmdbStore(directory);
  const found = new Set<string>();
  const waiting: string[] = [];
  for await (const some of store.sessions()) {
    for (const { session, subscriptions } of some) {
      const { clientId } = session;
      found.add(clientId);
      assert.equal(subscriptions.length, 2, clientId);
      const topics = (await store.readQueue(clientId, 0, 10_000)).map(({ message }) => message.topic);
      assert.equal(topics.filter((topic) => topic === `own/${clientId}`).length, ownMessages, clientId);
      waiting.push(...topics.filter((topic) => topic.startsWith('jobs/')));
    }
  }
  await store.close();
  assert.equal(new Set(waiting).size, jobs);
  assert.equal(waiting.length, jobs);
  assert.deepEqual((await checkStore(directory)).faults, []);
  return found;
}

test('sessions are deleted whole or not at all, and for good when that was said, whenever the broker is killed', async () => {
  await mkdir(cwd);
  let broker = await RunningBroker.start(cwd, configuration);
  await fill(await broker.port('mqtt'));
  const gone = new Set<string>();
  for (let cycle = 0; cycle < cycles; cycle++) {
    const killAfter = Math.floor(Math.random() * deletedPerCycle);
    let answers = 0;
    const kill = (): void => void broker.process.kill('SIGKILL');
    const asked = victims.splice(0, deletedPerCycle).map((clientId) =>
      remove(`/session?client_id=${clientId}`).then(
        () => {
          gone.add(clientId);
          if (++answers === killAfter) kill();
        },
        () => {}, // never answered: it may be there or not
      ),
    );
    if (killAfter === 0) setTimeout(kill, Math.random() * 20);
    await once(broker.process, 'exit');
    await Promise.all(asked);
    const found = await look();
    for (const clientId of gone) assert.equal(found.has(clientId), false, `${clientId} is back`);
    broker = await RunningBroker.start(cwd, configuration);
  }
  await remove('/sessions?client_id=member-*');
  await broker.stop('SIGKILL');
  assert.deepEqual(await look(), new Set(['heir']));
});
