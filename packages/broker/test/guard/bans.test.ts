import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '@moat/testkit';
import { Bans } from '../../dist/guard/bans.js';
import { Broker } from '../../dist/index.js';
import { connected, ping, portOf, readPacket, silent, startBroker, testConfiguration } from '../support/broker.js';
import { connectFrom } from '../support/from-address.js';
import { connectPacket } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';

async function ask(directory: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const call = request({ socketPath: join(directory, 'admin.sock'), method, path, headers });
  call.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(call, 'response');
  return json(response);
}

describe('A ban', () => {
  it('of an address or network ends its connections, and keeps it out before anything is read', async (t) => {
    const { broker, port, directory, stop } = await startBroker();
    t.after(stop);
    const there = await connectFrom('127.0.5.1', port);
    there.send(connectPacket(5));
    await readPacket(there);
    const elsewhere = await connected(port, 5);
    const answer = await ask(directory, 'POST', '/bans', { kind: 'address', what: '127.0.5.0/24', reason: 'scans' });
    assert.deepEqual(answer, { disconnected: 1 });
    assert.match(await readPacket(there), /^e0..98/);
    await (await connectFrom('127.0.5.2', port)).closed();
    await ping(elsewhere);
    assert.equal(broker.status().events['ban.refused'], 1);
    const [ban] = (await ask(directory, 'GET', '/bans')) as { what: string; reason: string }[];
    assert.deepEqual([ban?.what, ban?.reason], ['127.0.5.0/24', 'scans']);
    await ask(directory, 'POST', '/bans/remove', { kind: 'address', what: '127.0.5.0/24' });
    const again = await connectFrom('127.0.5.2', port);
    again.send(connectPacket(4));
    assert.equal(await readPacket(again), '20020000');
    for (const client of [again, elsewhere]) client.end();
  });

  it('of a user or a client ID holds behind the right password', async (t) => {
    const { port, directory, stop } = await startBroker(
      { authentication: {} },
      { files: { passwords: await passwordFile({ one: 'secret', two: 'secret' }) } },
    );
    t.after(stop);
    await ask(directory, 'POST', '/bans', { kind: 'username', what: 'one' });
    await ask(directory, 'POST', '/bans', { kind: 'clientid', what: 'two:bad' });
    const codes: string[] = [];
    for (const [username, clientId] of [
      ['one', 'one'],
      ['two', 'two:bad'],
      ['two', 'two'],
    ] as const) {
      const client = await connectFrom('127.0.0.1', port);
      client.send(connectPacket(5, { username, password: 'secret', clientId }));
      codes.push((await readPacket(client)).slice(6, 8));
      client.end();
    }
    assert.deepEqual(codes, ['8a', '8a', '00']);
  });

  it('outlives the broker', async (t) => {
    const directory = await temporaryDirectory(t);
    const configuration = testConfiguration(directory);
    const first = await Broker.start({ configuration, log: silent });
    await ask(directory, 'POST', '/bans', { kind: 'address', what: '127.0.5.1', seconds: 3600 });
    await first.stop();
    assert.equal((await stat(join(directory, 'bans.json'))).mode & 0o777, 0o600);
    const second = await Broker.start({ configuration, log: silent });
    t.after(() => second.stop());
    await (await connectFrom('127.0.5.1', portOf(second))).closed();
  });

  it('ends when its time is over', async (t) => {
    const file = join(await temporaryDirectory(t), 'bans.json');
    const bans = await Bans.load(file);
    await bans.add({ kind: 'address', what: '192.0.2.1', reason: '', since: 0, until: 1_000 });
    await bans.add({ kind: 'username', what: 'user', reason: '', since: 0, until: 1_000 });
    assert.deepEqual([bans.hasAddress('192.0.2.1', 999), bans.has('username', 'user', 999)], [true, true]);
    assert.deepEqual([bans.hasAddress('192.0.2.1', 1_000), bans.has('username', 'user', 1_000)], [false, false]);
    assert.equal(bans.list(1_000).length, 0);
  });

  it('that nobody can read keeps the broker from starting: it would let in who is banned', async (t) => {
    const directory = await temporaryDirectory(t);
    for (const text of ['[', '{}', '[{"kind":"planet","what":"x","reason":"","since":0}]']) {
      await writeFile(join(directory, 'bans.json'), text);
      const start = Broker.start({ configuration: testConfiguration(directory), log: silent });
      await assert.rejects(start, { code: 'bans.invalid' });
      assert.equal(await readFile(join(directory, 'bans.json'), 'utf8'), text);
    }
  });

  it('makes sense, or is refused', async (t) => {
    const { directory, stop } = await startBroker();
    t.after(stop);
    for (const body of [{ kind: 'address', what: 'everywhere' }, { kind: 'address' }, { kind: 'planet', what: 'x' }]) {
      const { code } = (await ask(directory, 'POST', '/bans', body)) as { code: string };
      assert.match(code, /^(bans\.refused|admin\.invalid)$/);
    }
  });
});
