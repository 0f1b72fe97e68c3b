import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { connected, startBroker } from '../support/broker.js';
import { leave, nameOf, stored, versions } from '../support/clients.js';
import { engines, lives } from '../support/lives.js';
import { type ConnectFields, will } from '../support/packets.js';

const dying = (version: 4 | 5, clientId: string): ConnectFields => ({ clientId, will: will(version, 'w', 'x') });

describe('Wills', () => {
  for (const version of versions)
    it(`are so many in all, and one more is refused, in ${nameOf(version)}`, async (t) => {
      const { broker, port, stop } = await startBroker({ limits: { max_wills: 2 } });
      t.after(stop);
      const a = await connected(port, version, dying(version, 'a'));
      const b = await connected(port, version, dying(version, 'b'));
      await assert.rejects(connected(port, version, dying(version, 'c')), version === 5 ? /0097/ : /20020003/);
      assert.equal(broker.status().events['limit.wills'], 1);
      const without = await connected(port, version, { clientId: 'c' });
      // One that takes the place of another is none more.
      const again = await connected(port, version, dying(version, 'a'));
      assert.equal(broker.status().wills, 2);
      // Published, or given up with DISCONNECT.
      b.end();
      await waitFor(() => broker.status().wills === 1);
      const c = await connected(port, version, dying(version, 'd'));
      await leave(c);
      await waitFor(() => broker.status().wills === 1);
      for (const client of [a, without, again]) client.end();
      await waitFor(() => broker.status().wills === 0);
    });

  for (const version of versions)
    it(`have so many bytes in all, and one more is refused, in ${nameOf(version)}`, async (t) => {
      const { broker, port, stop } = await startBroker({ limits: { max_will_bytes: 1_024 } });
      t.after(stop);
      const large = (clientId: string, bytes: number): ConnectFields => ({
        clientId,
        will: will(version, 'w', 'x'.repeat(bytes - 1)),
      });
      const refusal = version === 5 ? /0097/ : /20020003/;
      const held = [await connected(port, version, large('a', 1_000)), await connected(port, version, large('b', 24))];
      assert.equal(broker.status().willBytes, 1_024);
      await assert.rejects(connected(port, version, large('c', 2)), refusal);
      assert.equal(broker.status().limitHits.max_will_bytes, 1);
      assert.equal(broker.status().events['limit.wills'], 1);
      // In place of what was there, as much and less; not more.
      held.push(await connected(port, version, large('b', 24)));
      await assert.rejects(connected(port, version, large('b', 25)), refusal);
      held.push(await connected(port, version, large('b', 20)), await connected(port, version, large('c', 4)));
      assert.equal(broker.status().willBytes, 1_024);
      for (const client of held) client.end();
      await waitFor(() => broker.status().willBytes === 0);
    });

  for (const engine of engines)
    it(`of one user have so many bytes, those of before a restart among them (${engine})`, async (t) => {
      const limits = { max_will_bytes_per_user: 100 };
      const users = ['anna', 'bert'];
      const broker = await lives(t, engine, { limits, authentication: { allow_anonymous: false } }, { users });
      const large = (username: string, clientId: string, bytes: number): ConnectFields => ({
        ...stored(5, clientId),
        username,
        password: 'pw',
        will: will(5, 'w', 'x'.repeat(bytes - 1), { properties: '1800000e10' }),
      });
      const first = await connected(broker.port, 5, large('anna', 'a', 60));
      first.end();
      await waitFor(() => broker.broker.status().sessionsDisconnected === 1);
      await broker.restart();
      assert.equal(broker.broker.status().willBytes, 60);
      await assert.rejects(connected(broker.port, 5, large('anna', 'b', 41)), /0097/);
      const held = [await connected(broker.port, 5, large('anna', 'b', 40))];
      held.push(await connected(broker.port, 5, large('bert', 'c', 100)));
      assert.equal(broker.broker.status().willBytes, 200);
      // Hers again, with another: what it replaces is free.
      held.push(await connected(broker.port, 5, large('anna', 'a', 50)));
      assert.equal(broker.broker.status().willBytes, 190);
      for (const client of held) client.end();
    });

  for (const engine of engines)
    it(`of one user are so many, those that are delayed and those of before a restart among them (${engine})`, async (t) => {
      const limits = { max_wills_per_user: 2 };
      const users = ['anna', 'bert'];
      const broker = await lives(t, engine, { limits, authentication: { allow_anonymous: false } }, { users });
      const delayed = (username: string, clientId: string): ConnectFields => ({
        ...stored(5, clientId),
        username,
        password: 'pw',
        will: will(5, 'w', 'x', { properties: '1800000e10' }),
      });
      for (const clientId of ['a', 'b']) {
        const client = await connected(broker.port, 5, delayed('anna', clientId));
        client.end();
      }
      await waitFor(() => broker.broker.status().sessionsDisconnected === 2);
      await broker.restart();
      assert.equal(broker.broker.status().wills, 2);
      await assert.rejects(connected(broker.port, 5, delayed('anna', 'c')), /0097/);
      const other = await connected(broker.port, 5, delayed('bert', 'd'));
      const back = await connected(broker.port, 5, delayed('anna', 'a'));
      assert.equal(broker.broker.status().wills, 3);
      await leave(back);
      await waitFor(() => broker.broker.status().wills === 2);
      const third = await connected(broker.port, 5, delayed('anna', 'c'));
      third.end();
      other.end();
    });
});
