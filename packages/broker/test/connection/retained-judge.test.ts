import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { connected, ping, readPacket } from '../support/broker.js';
import { engines, type Lives, lives } from '../support/lives.js';
import { publish, subscribe } from '../support/packets.js';

const users = ['anna', 'bert', 'reader'];
const common = [
  '{ allow: connect, clientids: "*" }',
  '{ allow: [subscribe, receive], topics: "#" }',
  '{ subject: { username: reader }, allow: publish, topics: z }',
];
/** It comes behind all others, and may stay. */
const last = 'z';

const policyOf = (...rules: readonly string[]): string =>
  `rules:\n${[...common, ...rules].map((rule) => `  - ${rule}\n`).join('')}`;
const annas = '{ subject: { username: anna }, allow: publish, topics: "a/#" }';
const berts = '{ subject: { username: bert }, allow: publish, topics: "b/#" }';
const both = policyOf(annas, berts);

const withdraw = {
  authentication: { allow_anonymous: false },
  authorization: { default: 'deny', retained_after_revocation: 'withdraw' },
} as const;
const keep = { ...withdraw, authorization: { default: 'deny' } } as const;

const as = (username: string, clientId = username) => ({ clientId, username, password: 'pw' });

/** Has users publish what is to be retained, and whoever reads the last of all. */
async function retain({ port }: Lives, topics: Readonly<Record<string, readonly string[]>>, clientId?: string) {
  for (const [username, theirs] of Object.entries({ ...topics, reader: [last] })) {
    const client = await connected(port, 5, as(username, clientId));
    for (const topic of theirs) client.send(publish(5, topic, username, { retain: true }));
    await ping(client);
    client.end();
  }
}

/** The topics of what a new subscriber is given, up to the last of all. */
async function given({ port }: Lives): Promise<string[]> {
  const client = await connected(port, 5, as('reader'));
  client.send(subscribe(5, 1, { '#': 0 }));
  assert.match(await readPacket(client), /^90/);
  const topics: string[] = [];
  for (let topic = ''; topic !== last; topics.push(topic)) {
    const bytes = Buffer.from(await readPacket(client), 'hex');
    topic = bytes.subarray(4, 4 + bytes.readUInt16BE(2)).toString();
  }
  await ping(client);
  client.end();
  return topics.slice(0, -1);
}

/** Without the last of all. */
const count = ({ broker }: Lives): number => broker.status().retained.messages - 1;
const withdrawn = ({ events }: Lives) => events.filter(({ event }) => event === 'policy.withdrawn');

describe('A retained message whose publisher may no longer publish it (CVE-2018-12546)', () => {
  for (const engine of engines) {
    it(`is withdrawn when the policy changes, others stay (${engine})`, async (t) => {
      const broker = await lives(t, engine, withdraw, { users, policy: both });
      await retain(broker, { anna: ['a/1', 'a/2'], bert: ['b/1'] });
      await broker.restart();
      assert.deepEqual(await given(broker), ['a/1', 'a/2', 'b/1']);
      await broker.enforce(policyOf(berts));
      await waitFor(() => count(broker) === 1);
      await waitFor(() => withdrawn(broker).length === 1);
      const [event] = withdrawn(broker);
      assert.deepEqual([event?.['username'], event?.['rule'], event?.['count']], ['anna', 'default', 2]);
      assert.equal(broker.broker.status().events['policy.withdrawn'], 2);
      assert.deepEqual(await given(broker), ['b/1']);
      await broker.enforce(both); // gone is gone
      await broker.restart();
      assert.deepEqual(await given(broker), ['b/1']);
      assert.equal(count(broker), 1);
    });

    it(`is not delivered by a broker that starts with another policy (${engine})`, async (t) => {
      const broker = await lives(t, engine, withdraw, { users, policy: both });
      await retain(broker, { anna: ['a/1'], bert: ['b/1'] });
      await broker.restart(policyOf(annas));
      assert.deepEqual(await given(broker), ['a/1']);
      await waitFor(() => count(broker) === 1);
      assert.equal(withdrawn(broker)[0]?.['username'], 'bert');
    });

    it(`is kept unless the operator wants it withdrawn (${engine})`, async (t) => {
      const broker = await lives(t, engine, keep, { users, policy: both });
      await retain(broker, { anna: ['a/1'] });
      await broker.enforce(policyOf(berts));
      assert.deepEqual(await given(broker), ['a/1']);
      await broker.restart();
      assert.deepEqual(await given(broker), ['a/1']);
      assert.deepEqual(withdrawn(broker), []);
    });
  }

  it('is judged by the client ID that it was published with', async (t) => {
    const own = policyOf('{ subject: { username: anna }, allow: publish, topics: "own/${' + 'clientid}" }');
    const broker = await lives(t, 'lmdb', withdraw, { users, policy: policyOf('{ allow: publish, topics: "own/#" }') });
    await retain(broker, { anna: ['own/one', 'own/two'] }, 'one');
    await broker.enforce(own);
    await waitFor(() => count(broker) === 1);
    assert.deepEqual(await given(broker), ['own/one']);
  });

  it('stays when a rule asks for more than is known of who is away', async (t) => {
    const proven = '{ subject: { username: anna, address: 192.0.2.1 }, allow: publish, topics: "a/#" }';
    const broker = await lives(t, 'memory', withdraw, { users, policy: both });
    await retain(broker, { anna: ['a/1'], bert: ['b/1'] });
    await broker.enforce(policyOf(proven));
    await waitFor(() => count(broker) === 1);
    assert.deepEqual(await given(broker), ['a/1']);
  });

  it('is one of thousands, of which each is judged before it is delivered', async (t) => {
    const limits = { retained_cache_bytes: 1_000, max_retained_messages_per_user: 10_000 };
    const broker = await lives(t, 'lmdb', { ...withdraw, limits }, { users, policy: both });
    const topics = Array.from({ length: 3_000 }, (_, each) => `a/${each}`);
    await retain(broker, { anna: topics, bert: ['b/1'] });
    const changed = broker.enforce(policyOf(berts));
    await changed;
    assert.deepEqual(await given(broker), ['b/1']); // whatever is still to be judged
    await waitFor(() => count(broker) === 1);
    assert.equal(broker.broker.status().events['policy.withdrawn'], 3_000);
  });
});
