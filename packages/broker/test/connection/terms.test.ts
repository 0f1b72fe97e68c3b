import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import fc from 'fast-check';
import { clientLimits, limitsOf, type OwnLimits } from '../../dist/config/profiles.js';
import { TermsBook } from '../../dist/connection/terms.js';
import { effectiveLimits, loadAccess, OperatorErrors, parseConfiguration } from '../../dist/index.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import { allSessions } from '../storage/records.js';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { leave, puback, stored } from '../support/clients.js';
import { lives } from '../support/lives.js';
import { type ConnectFields, publish, subscribe } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';

const standard = limitsOf('standard');

describe('The limits of a client', () => {
  it('are those of the most generous of its roles, else of its listener, else the general ones', () => {
    const own = fc.dictionary(fc.constantFrom(...clientLimits), fc.nat(), { maxKeys: 4, noNullPrototype: true });
    const names = ['a', 'b', 'c'];
    const some = fc.subarray(names);
    fc.assert(
      fc.property(own, fc.tuple(own, own, own), some, some, (listener, limits, written, given) => {
        const roles: Record<string, OwnLimits> = {};
        for (const name of written) roles[name] = limits[names.indexOf(name)] as OwnLimits;
        const book = new TermsBook({ ...standard, roles });
        const { limits: found } = book.of(listener as OwnLimits, given);
        for (const name of clientLimits) {
          const byRole = given.flatMap((role) => roles[role]?.[name] ?? []);
          const otherwise = (listener as OwnLimits)[name] ?? standard[name];
          assert.equal(found[name], byRole.length > 0 ? Math.max(...byRole) : otherwise);
        }
        assert.equal(book.of(listener as OwnLimits, given.toReversed()), book.of(listener as OwnLimits, given));
      }),
    );
  });

  it('say where they come from', () => {
    const text = 'limits:\n  roles:\n    gateway: { max_publish_rate: 20000 }\n';
    assert.deepEqual(effectiveLimits(text, 'moat.yaml').at(-1), {
      key: 'limits.roles.gateway.max_publish_rate',
      value: 20_000,
      unit: 'messages a second',
      from: 'moat.yaml:3:34',
    });
  });

  it('are refused, with their place, for a role that the policy does not have, or where they hold for nobody alone', async (t) => {
    const { directory, stop } = await startBroker({}, { files: { 'policy.yaml': 'roles: { gateway: [] }\n' } });
    t.after(stop);
    const configured = (roles: string) =>
      parseConfiguration(`data_dir: ${directory}\nlimits:\n  roles:\n    ${roles}\n`, 'moat.yaml');
    await loadAccess(configured('gateway: { max_keepalive: 60 }'));
    await assert.rejects(loadAccess(configured('gatway: { max_keepalive: 60 }')), (error) => {
      assert.ok(error instanceof OperatorErrors);
      assert.match(error.message, /^moat\.yaml:4:5: limits for the role gatway, which .*policy\.yaml does not have/);
      assert.match(String(error.errors[0]?.hint), /gateway/);
      return true;
    });
    assert.throws(() => configured('gateway: { max_sessions: 7 }'), /moat\.yaml:4:16: .*max_sessions/);
    assert.throws(() => configured('gateway: { max_keepalive: 0 }'), /moat\.yaml:4:31: /);
  });
});

const policyOf = (...roles: readonly string[]): string =>
  `roles: { wide: [], narrow: [], other: [] }\nrules:\n  - { allow: [connect, publish, subscribe, receive], clientids: "*", topics: "#" }\n  - { subject: { username: anna }, roles: [${['other', ...roles].join()}] }\n`;
const as = (fields: ConnectFields): ConnectFields => ({ username: 'anna', password: 'pw', ...fields });

describe('Limits by role', () => {
  const input = {
    limits: {
      max_subscriptions: 1,
      max_queued_messages: 1,
      max_session_expiry: 10,
      receive_maximum: 100,
      roles: {
        wide: { max_subscriptions: 2, max_queued_messages: 2, max_session_expiry: 100, receive_maximum: 200 },
        narrow: { max_subscriptions: 0 },
      },
    },
  };

  it('change with the policy for those who are connected; what they were told stays', async (t) => {
    const broker = await lives(t, 'memory', input, { users: ['anna'], policy: policyOf('wide', 'narrow') });
    const client = await connected(broker.port, 5, as({}));
    client.send(subscribe(5, 1, { a: 0, b: 0, c: 0 }));
    assert.match(await readPacket(client), /000097$/);
    await broker.enforce(policyOf());
    client.send(subscribe(5, 2, { a: 0, d: 0 }));
    assert.match(await readPacket(client), /0097$/);
    for (let id = 1; id <= 200; id++) {
      client.send(publish(5, 'x', '', { qos: 2, packetId: id }));
      await client.expect(`5002${id.toString(16).padStart(4, '0')}`);
    }
    client.send(publish(5, 'x', '', { qos: 2, packetId: 201 }));
    assert.match(await readPacket(client), /^e0..93/);
  });

  it('hold for the queue of who is away, also of a broker that has not seen it', async (t) => {
    const broker = await lives(t, 'lmdb', input, { users: ['anna'], policy: policyOf('wide') });
    const fields = as(stored(5, 'away'));
    const client = await connected(broker.port, 5, fields);
    client.send(subscribe(5, 1, { q: 1 }));
    await readPacket(client);
    await leave(client);
    const queue = async (count: number): Promise<number> => {
      const publisher = await connected(broker.port, 5, as({}));
      for (let id = 1; id <= count; id++) {
        publisher.send(publish(5, 'q', 'x', { qos: 1, packetId: id }));
        assert.equal(await readPacket(publisher), puback(id));
      }
      publisher.end();
      return broker.broker.status().dropped.queue_full;
    };
    assert.equal(await queue(1), 0);
    await broker.restart();
    assert.equal(await queue(1), 0);
    assert.equal(await queue(1), 1);
    await broker.enforce(policyOf());
    const back = await connected(broker.port, 5, fields);
    for (let index = 0; index < 2; index++) {
      const packet = await readPacket(back);
      assert.match(packet, /^3[2a]/);
      back.send(`4002${packet.slice(10, 14)}`);
    }
    await ping(back);
    await leave(back);
    assert.equal(await queue(2), 2); // the role is gone, and the limit with it
  });

  it('hold for the session expiry that DISCONNECT asks for', async (t) => {
    const store = new MemoryStore();
    const files = { 'policy.yaml': policyOf('wide'), passwords: await passwordFile({ anna: 'pw' }) };
    const { port, stop } = await startBroker(input, { files, store });
    t.after(stop);
    const client = await connected(port, 5, as({ properties: '1100000001', clientId: 'c' }));
    client.send('e0 07 00 05 11 00 00 ff ff');
    await client.closed();
    client.end();
    assert.equal((await allSessions(store)).get('c')?.session.expiryInterval, 100);
  });

  it('that are in force stay when a new policy lacks one of the roles', async (t) => {
    const broker = await lives(t, 'memory', input, { users: ['anna'], policy: policyOf('wide') });
    await writeFile(join(broker.directory, 'policy.yaml'), 'rules: []\n');
    await waitFor(() => broker.broker.status().events['policy.refused'] === 1);
    const client = await connected(broker.port, 5, as({}));
    client.send(subscribe(5, 1, { a: 0, b: 0, c: 0 }));
    assert.match(await readPacket(client), /000097$/);
    client.end();
  });
});
