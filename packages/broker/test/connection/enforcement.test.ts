import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { waitFor } from '@moat/testkit';
import type { ConfigurationInput, Log } from '../../dist/index.js';
import {
  connected,
  ping,
  readPacket,
  silent,
  startBroker,
  type TestOptions,
  testConfiguration,
} from '../support/broker.js';
import { pubcomp, pubrec, stored, subscriber } from '../support/clients.js';
import { publish, subscribe } from '../support/packets.js';

const connect = '{ allow: connect, clientids: "*" }';
const all = (topics: string) => `{ allow: [publish, subscribe, receive], topics: "${topics}" }`;
const policyOf = (...rules: readonly string[]): string => `rules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`;

type Authorization = NonNullable<ConfigurationInput['authorization']>;

/** A broker, what it tells the operator, and a way to give it another policy. */
async function start(t: TestContext, policy: string, more: Authorization = {}, options: TestOptions = {}) {
  const events: Record<string, unknown>[] = [];
  const failures: unknown[] = [];
  const log: Log = {
    ...silent,
    info: (fields) => events.push({ ...fields }),
    error: (fields) => failures.push('reason' in fields ? fields.reason : fields),
  };
  const input: ConfigurationInput = { authorization: { default: 'deny', ...more }, reason_strings: true };
  const running = await startBroker(input, { log, ...options, files: { 'policy.yaml': policy } });
  t.after(running.stop);
  const file = join(running.directory, 'policy.yaml');
  const enforce = async (next: string): Promise<void> => {
    // In one step, since the broker watches the file, and an empty one denies everything.
    await writeFile(`${file}.new`, next);
    await rename(`${file}.new`, file);
    await running.broker.reload(testConfiguration(running.directory, input));
  };
  const told = (code: string) => events.filter(({ event }) => event === code);
  return { ...running, file, failures, told, denied: () => told('policy.denied'), enforce };
}

describe('A policy that changes', () => {
  it('is read once where a reload reads it, and again when it changes again', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#')));
    await broker.enforce(policyOf(connect, all('a/#'), all('b/#')));
    await wait(1_500); // for longer than it takes to notice
    assert.equal(broker.told('config.reloaded').length, 1);
    assert.equal(broker.told('policy.reloaded').length, 0);
    await writeFile(broker.file, policyOf(connect));
    await waitFor(() => broker.told('policy.reloaded').length === 1);
  });

  for (const version of [4, 5] as const) {
    it(`tells a client of version ${version} that lost a subscription, where the operator wants that`, async (t) => {
      const broker = await start(t, policyOf(connect, all('a/#'), all('b/#')), { on_lost_subscription: 'disconnect' });
      const client = await subscriber(broker.port, version, { 'a/#': 0, 'b/#': 0 }, stored(version, 'c'));
      const other = await subscriber(broker.port, version, { 'a/#': 0 });
      await broker.enforce(policyOf(connect, all('a/#')));
      assert.match((await client.rest()).toString('hex'), version === 5 ? /^e0..87/ : /^$/);
      await ping(other);
      // The session is resumed without what it lost, and goes on.
      const resumed = await connected(broker.port, version, stored(version, 'c'));
      await ping(resumed);
      resumed.end();
      other.end();
    });
  }

  it('disconnects whom it no longer lets connect, and nobody else', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#')));
    const [one, other] = [
      await subscriber(broker.port, 5, { 'a/#': 0 }, { clientId: 'one' }),
      await subscriber(broker.port, 5, { 'a/#': 0 }, { clientId: 'other' }),
    ];
    await broker.enforce(policyOf('{ allow: connect, clientids: other }', all('a/#')));
    assert.match((await one.rest()).toString('hex'), /^e0..87/);
    await ping(other);
    assert.deepEqual(
      broker.denied().map(({ action, topic, rule }) => [action, topic, rule]),
      [['connect', 'one', 'default']],
    );
    other.end();
  });

  it('is in force for everybody at one moment', async (t) => {
    const broker = await start(t, policyOf(connect, all('b/#')));
    const readers = await Promise.all(Array.from({ length: 60 }, () => subscriber(broker.port, 5, { 'b/#': 0 })));
    const writer = await connected(broker.port, 5);
    const changing = broker.enforce(policyOf(connect, all('a/#')));
    const accepted: string[] = [];
    for (let number = 1; ; number++) {
      writer.send(publish(5, 'b/x', String(number), { qos: 1, packetId: number }));
      const answer = await readPacket(writer);
      if (/^40..[0-9a-f]{4}87/.test(answer)) break;
      accepted.push(publish(5, 'b/x', String(number)));
    }
    await changing;
    for (const reader of readers) {
      for (const message of accepted) assert.equal(await readPacket(reader), message);
      await ping(reader);
      reader.end();
    }
    assert.equal(broker.broker.status().subscriptions, 0);
    writer.end();
  });

  it('holds back at PUBREL what may no longer be published', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#'), all('b/#')));
    const [reader, writer] = [
      await subscriber(broker.port, 5, { 'a/#': 0, 'b/#': 0 }),
      await connected(broker.port, 5),
    ];
    for (const [packetId, topic] of [
      [1, 'a/x'],
      [2, 'b/x'],
    ] as const) {
      writer.send(publish(5, topic, 'held', { qos: 2, packetId }));
      await writer.expect(pubrec(packetId));
    }
    await broker.enforce(policyOf(connect, all('a/#'), '{ allow: [subscribe, receive], topics: "b/#" }'));
    writer.send('6202 0002 6202 0001');
    await writer.expect(pubcomp(2) + pubcomp(1));
    assert.equal(await readPacket(reader), publish(5, 'a/x', 'held'));
    await ping(reader);
    assert.deepEqual(
      broker.denied().map(({ action, topic }) => [action, topic]),
      [['publish', 'b/x']],
    );
    reader.end();
    writer.end();
  });

  it('holds back of a run at PUBREL what may no longer be published, whatever tells it apart', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#'), all('b/#')));
    const reader = await subscriber(broker.port, 5, { 'a/#': 0, 'b/#': 0 });
    const writer = await connected(broker.port, 5);
    const held = [
      [1, 'a/x', 'small'],
      [2, 'a/x', 'far too large'],
      [3, 'b/x', 'small'],
      [4, 'b/x', 'small'],
    ] as const;
    writer.send(held.map(([packetId, topic, text]) => publish(5, topic, text, { qos: 2, packetId })).join(''));
    for (const [packetId] of held) await writer.expect(pubrec(packetId));
    const small = '{ allow: publish, topics: "a/#", when: { max_payload: 5 } }';
    const reading = '{ allow: [subscribe, receive], topics: ["a/#", "b/#"] }';
    await broker.enforce(policyOf(connect, reading, small));
    writer.send('6202 0001 6202 0002 6202 0003 6202 0004');
    for (const [packetId] of held) await writer.expect(pubcomp(packetId));
    assert.equal(await readPacket(reader), publish(5, 'a/x', 'small'));
    await ping(reader);
    reader.end();
    writer.end();
  });

  it('counts each message of a run that it denies, at PUBLISH and at PUBREL', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#'), all('b/#')));
    const writer = await connected(broker.port, 5);
    writer.send([1, 2, 3].map((packetId) => publish(5, 'a/x', 'held', { qos: 2, packetId })).join(''));
    for (const id of [1, 2, 3]) await writer.expect(pubrec(id));
    await broker.enforce(policyOf(connect));
    writer.send(`6202 0001 6202 0002 6202 0003 ${publish(5, 'b/x', 'x')} ${publish(5, 'b/x', 'y')}`);
    for (const id of [1, 2, 3]) await writer.expect(pubcomp(id));
    await ping(writer);
    writer.end();
    const counts = new Map<unknown, number>();
    await waitFor(() => {
      counts.clear();
      for (const { topic, count = 1 } of broker.denied()) counts.set(topic, (counts.get(topic) ?? 0) + Number(count));
      return counts.get('b/x') === 2;
    });
    assert.equal(counts.get('a/x'), 3);
  });

  it('sends a resumed session nothing again that it may no longer receive', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#'), all('b/#')));
    const reader = await subscriber(broker.port, 4, { 'a/#': 1, 'b/#': 1 }, stored(4, 'r'));
    const writer = await connected(broker.port, 4);
    writer.send(publish(4, 'b/x', '1', { qos: 1, packetId: 1 }) + publish(4, 'a/x', '2', { qos: 1, packetId: 2 }));
    await readPacket(reader);
    await readPacket(reader);
    reader.end();
    await waitFor(() => broker.broker.status().connections === 1);
    await broker.enforce(policyOf(connect, all('a/#')));
    const resumed = await connected(broker.port, 4, stored(4, 'r'));
    assert.equal(await readPacket(resumed), publish(4, 'a/x', '2', { qos: 1, packetId: 2, dup: true }));
    await ping(resumed);
    resumed.end();
    writer.end();
  });

  it('allows nothing when its file has gone, and stays as it was when it cannot be read', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#')));
    const client = await subscriber(broker.port, 5, { 'a/#': 0 });
    await assert.rejects(broker.enforce('rules: [{'), /policy\.yaml:1:/);
    await ping(client);
    // A long one is read in a thread of its own, and its mistakes are told all the same.
    const long = policyOf(connect, ...Array.from({ length: 200 }, (_, index) => all(`a/${index}/#`)));
    await assert.rejects(broker.enforce(`${long}  - { alow: connect }\n`), /policy\.yaml:203:7: unknown key alow/);
    await broker.enforce(`${long}  - ${all('a/#')}\n`);
    await ping(client);
    await rm(broker.file);
    await broker.broker.reload(testConfiguration(broker.directory, { authorization: { default: 'deny' } }));
    assert.match((await client.rest()).toString('hex'), /^e0/);
  });

  it('is put in force when its file changes, or not at all', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#')));
    const client = await subscriber(broker.port, 5, { 'a/#': 0 });
    await writeFile(broker.file, 'rules: [{ alow: connect }]');
    await waitFor(() => broker.failures.length === 1);
    assert.match(String(broker.failures[0]), /policy\.yaml:1:11: unknown key alow/);
    await ping(client);
    await writeFile(broker.file, policyOf(connect, all('b/#')));
    await waitFor(() => broker.broker.status().subscriptions === 0);
    await ping(client);
    client.end();
  });

  it('changes with the hours that it names, for those who are connected', async (t) => {
    t.mock.timers.enable({ apis: ['Date', 'setInterval'], now: Date.UTC(2030, 0, 1, 16, 59, 58) });
    const atWork = '{ allow: [publish, subscribe, receive], topics: "a/#", when: { hours: "08:00-17:00" } }';
    const broker = await start(t, policyOf(connect, atWork));
    const client = await subscriber(broker.port, 5, { 'a/#': 0 });
    client.send(publish(5, 'a/x', 'early'));
    assert.equal(await readPacket(client), publish(5, 'a/x', 'early'));
    t.mock.timers.tick(3_000);
    await waitFor(() => broker.broker.status().subscriptions === 0);
    client.send(publish(5, 'a/x', 'late', { qos: 1 }));
    assert.match(await readPacket(client), /^40..000187/);
    client.end();
  });
});

describe('A denial', () => {
  it('names the rule to the client where the operator permits', async (t) => {
    const rules = policyOf(connect, all('a/#'), '{ deny: [publish, subscribe], topics: "a/no" }');
    const broker = await start(t, rules, { reason_names_rule: true });
    const client = await connected(broker.port, 5);
    client.send(publish(5, 'a/no', 'x', { qos: 1 }));
    assert.match(
      Buffer.from(await readPacket(client), 'hex').toString('latin1'),
      /not authorized to publish: policy.yaml:4$/,
    );
    client.send(subscribe(5, 2, { 'a/no': 0 }));
    assert.match(
      Buffer.from(await readPacket(client), 'hex').toString('latin1'),
      /not authorized to subscribe: policy.yaml:4/,
    );
    client.send(publish(5, 'elsewhere', 'x', { qos: 1 }));
    assert.match(Buffer.from(await readPacket(client), 'hex').toString('latin1'), /not authorized to publish$/);
    client.end();
  });

  it('of a subscription is 0x80 where the operator does not want to say more', async (t) => {
    const broker = await start(t, policyOf(connect, all('a/#')), { on_denied_subscribe: 'unspecified' });
    const client = await connected(broker.port, 5);
    client.send(subscribe(5, 1, { 'a/b': 1, secret: 1 }));
    const answer = await readPacket(client);
    assert.match(answer, /^90..0001.*0180$/);
    assert.match(Buffer.from(answer, 'hex').toString('latin1'), /refused/);
    client.end();
  });

  for (const version of [3, 4, 5] as const) {
    it(`in version ${version} is told to the operator with its rule, whatever was denied`, async (t) => {
      const rules = policyOf(connect, all('a/#'), '{ deny: [publish, receive], topics: "a/no" }');
      const broker = await start(t, rules);
      const client = await subscriber(broker.port, version, { 'a/#': 0, 'b/#': 0, $: 0 });
      client.send(
        publish(version, 'a/no', 'x') + publish(version, 'a/no', 'x', { qos: 1 }) + publish(version, '$SYS/x', 'x'),
      );
      await readPacket(client); // PUBACK
      await ping(client);
      client.send('e000');
      await client.closed();
      await waitFor(() => broker.denied().length === 5);
      assert.deepEqual(
        broker
          .denied()
          .map(({ action, topic, rule, count }) => [action, topic, String(rule).replace(/^.*\//, ''), count]),
        [
          ['subscribe', 'b/#', 'default', undefined],
          ['subscribe', '$', 'default', undefined],
          ['publish', 'a/no', 'policy.yaml:4', undefined],
          ['publish', '$SYS/x', 'reserved', undefined],
          ['publish', 'a/no', 'policy.yaml:4', undefined],
        ],
      );
      assert.equal(broker.broker.status().events['policy.denied'], 5);
    });
  }

  it('of one message in a run leaves the others alone', async (t) => {
    const small = '{ allow: publish, topics: "a/#", when: { max_payload: 3 } }';
    const broker = await start(t, policyOf(connect, small, '{ allow: [subscribe, receive], topics: "a/#" }'));
    const [reader, writer] = [await subscriber(broker.port, 4, { 'a/#': 0 }), await connected(broker.port, 4)];
    writer.send(['ok1', 'too much', 'ok2'].map((payload) => publish(4, 'a/x', payload)).join(''));
    assert.equal(await readPacket(reader), publish(4, 'a/x', 'ok1'));
    assert.equal(await readPacket(reader), publish(4, 'a/x', 'ok2'));
    await ping(reader);
    assert.equal(broker.denied().length, 1);
    reader.end();
    writer.end();
  });
});

describe('A rule that asks for a seal', () => {
  const sealed = policyOf(
    connect,
    '{ allow: publish, topics: "a/#", when: { sealed: signature } }',
    '{ allow: [subscribe, receive], topics: "a/#" }',
  );

  it('refuses as long as nothing verifies seals', async (t) => {
    const broker = await start(t, sealed);
    const client = await connected(broker.port, 5);
    client.send(publish(5, 'a/x', 'signed by nobody', { qos: 1 }));
    assert.match(await readPacket(client), /^40..000187/);
    client.end();
  });

  it('asks what verifies them, of every message', async (t) => {
    const sealInspector = {
      kindOf: (_: string, payload: Uint8Array) => (payload[0] === 0x53 ? ('signature' as const) : ('none' as const)),
    };
    const broker = await start(t, sealed, {}, { sealInspector });
    const [reader, writer] = [await subscriber(broker.port, 4, { 'a/#': 0 }), await connected(broker.port, 4)];
    writer.send(['no', 'Sealed', 'none', 'Signed'].map((payload) => publish(4, 'a/x', payload)).join(''));
    assert.equal(await readPacket(reader), publish(4, 'a/x', 'Sealed'));
    assert.equal(await readPacket(reader), publish(4, 'a/x', 'Signed'));
    reader.end();
    writer.end();
  });
});
