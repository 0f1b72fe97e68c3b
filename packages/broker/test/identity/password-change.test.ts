import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { waitFor } from '@moat/testkit';
import { hash } from '@node-rs/argon2';
import { removePassword, setPassword } from '../../dist/index.js';
import { MemoryStore } from '../../dist/storage/memory.js';
import { connected, ping, readPacket, startBroker, type TestBroker, testConfiguration } from '../support/broker.js';
import { connectPacket } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';

const input = { authentication: {} };

async function start(t: TestContext, passwords: string): Promise<TestBroker> {
  const running = await startBroker(input, { files: { passwords } });
  t.after(running.stop);
  return running;
}

async function answerTo(port: number, username: string, password: string): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(5, { clientId: 'x', username, password }));
  const answer = (await readPacket(client)).slice(6, 8);
  client.end();
  return answer;
}

const until = async (condition: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50));
};

const cheap = { scram: false };

describe('A password file that changes', () => {
  it('ends the connections of who was changed or removed, by itself, and of nobody else', async (t) => {
    const { port, directory, broker } = await start(t, await passwordFile({ alice: 'a', bob: 'b', carol: 'c' }));
    const [alice, bob, carol] = [
      await connected(port, 5, { username: 'alice', password: 'a', clientId: 'alice' }),
      await connected(port, 5, { username: 'bob', password: 'b', clientId: 'bob' }),
      await connected(port, 5, { username: 'carol', password: 'c', clientId: 'carol' }),
    ];
    const file = join(directory, 'passwords');
    await setPassword(file, 'alice', 'another', cheap);
    assert.match(await readPacket(alice), /^e0..87/);
    await alice.closed();
    await removePassword(file, 'bob');
    assert.match(await readPacket(bob), /^e0..98/);
    await ping(carol);
    assert.equal(await answerTo(port, 'alice', 'a'), '86');
    assert.equal(await answerTo(port, 'alice', 'another'), '00');
    assert.equal(await answerTo(port, 'bob', 'b'), '86');
    assert.equal(broker.status().events['auth.revoked'], 2);
    carol.end();
  });

  it('lets nobody in by a password that was right when its check began', async (t) => {
    const slowly = { memoryCost: 65_536, timeCost: 12, parallelism: 1 };
    const { port, directory, broker } = await start(t, `alice:${await hash('old', slowly)}\n`);
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, { clientId: 'x', username: 'alice', password: 'old' }));
    await waitFor(() => broker.status().traffic.bytesReceived > 0);
    await writeFile(join(directory, 'passwords'), await passwordFile({ alice: 'new' }));
    await broker.reload(testConfiguration(directory, input));
    assert.equal((await readPacket(client)).slice(6, 8), '86');
    await client.closed();
    assert.equal(await answerTo(port, 'alice', 'new'), '00');
  });

  it('is put in force, too, when that happened while the broker was starting', async (t) => {
    const store = new MemoryStore();
    let file = '';
    // Passwords are read before sessions are: the user is removed in between.
    const { sessions } = store;
    t.mock.method(store, 'sessions', async function* (this: MemoryStore) {
      await removePassword(file, 'alice');
      yield* sessions.call(this);
    });
    const files = { passwords: await passwordFile({ alice: 'a', bob: 'b' }) };
    const prepare = async (directory: string): Promise<void> => {
      file = join(directory, 'passwords');
    };
    const { port, stop } = await startBroker(input, { files, prepare, store });
    t.after(stop);
    await until(async () => (await answerTo(port, 'alice', 'a')) === '86');
    assert.equal(await answerTo(port, 'bob', 'b'), '00');
  });

  it('stays as it was while what was written into it is wrong, and is told so', async (t) => {
    const { port, directory, broker } = await start(t, await passwordFile({ alice: 'a' }));
    const alice = await connected(port, 5, { username: 'alice', password: 'a', clientId: 'alice' });
    const file = join(directory, 'passwords');
    await writeFile(file, 'alice:nonsense\n');
    await waitFor(() => broker.status().events['passwords.refused'] === 1);
    await ping(alice);
    assert.equal(await answerTo(port, 'alice', 'a'), '00');
    await writeFile(file, await passwordFile({ alice: 'b' }));
    assert.match(await readPacket(alice), /^e0..87/);
    assert.equal(await answerTo(port, 'alice', 'b'), '00');
  });

  it('stays as it was while a line of it is wrong', async (t) => {
    const { port, directory, broker } = await start(t, await passwordFile({ alice: 'a' }));
    const alice = await connected(port, 5, { username: 'alice', password: 'a', clientId: 'alice' });
    await appendFile(join(directory, 'passwords'), '\nmallory:\n');
    await assert.rejects(broker.reload(testConfiguration(directory, input)), /passwords:2:1: a blank line/);
    await ping(alice);
    assert.equal(await answerTo(port, 'alice', 'a'), '00');
    alice.end();
  });
});

describe('The hash of another program', () => {
  it('is made anew at the next good login, in its line, and nobody is sent away for it', async (t) => {
    const { port, directory, broker } = await start(t, '');
    const file = join(directory, 'passwords');
    const made = join(directory, 'made');
    execFileSync('mosquitto_passwd', ['-b', '-c', made, 'alice', 'wonderland']);
    execFileSync('mosquitto_passwd', ['-b', made, 'bob', 'builder']);
    const [alice = '', bob = ''] = (await readFile(made, 'utf8')).split('\n');
    await writeFile(file, `# first\n${alice}\n# second\n${bob}\n`);
    await broker.reload(testConfiguration(directory, input));
    assert.equal(await answerTo(port, 'alice', 'wrong'), '86');
    const client = await connected(port, 5, { username: 'alice', password: 'wonderland', clientId: 'alice' });
    await until(async () => (await readFile(file, 'utf8')).includes('alice:$argon2id$'));
    const lines = (await readFile(file, 'utf8')).split('\n');
    assert.deepEqual([lines[0], lines[2], lines[3], lines[4]], ['# first', '# second', bob, '']);
    await broker.reload(testConfiguration(directory, input));
    await ping(client);
    assert.equal(await answerTo(port, 'alice', 'wonderland'), '00');
    assert.equal(broker.status().events['auth.revoked'], 0);
    client.end();
  });

  it('stays where the operator wants it to', async (t) => {
    const keep = { authentication: { rehash_passwords: false } };
    const running = await startBroker(keep, {
      prepare: async (directory) => {
        execFileSync('mosquitto_passwd', ['-b', '-c', join(directory, 'passwords'), 'alice', 'wonderland']);
      },
    });
    const file = join(running.directory, 'passwords');
    const before = await readFile(file, 'utf8');
    t.after(running.stop);
    assert.equal(await answerTo(running.port, 'alice', 'wonderland'), '00');
    await running.broker.stop(); // writes what there is to write
    assert.equal(await readFile(file, 'utf8'), before);
  });

  it('is not written over a password that was changed meanwhile', async (t) => {
    const { port, directory, broker } = await start(t, '');
    const file = join(directory, 'passwords');
    execFileSync('mosquitto_passwd', ['-b', '-c', file, 'alice', 'wonderland']);
    await broker.reload(testConfiguration(directory, input));
    assert.equal(await answerTo(port, 'alice', 'wonderland'), '00');
    await setPassword(file, 'alice', 'another', cheap);
    await broker.reload(testConfiguration(directory, input));
    await broker.stop();
    assert.match(await readFile(file, 'utf8'), /^alice:\$argon2id\$/);
    const again = await startBroker(input, { files: { passwords: await readFile(file, 'utf8') } });
    t.after(again.stop);
    assert.equal(await answerTo(again.port, 'alice', 'wonderland'), '86');
    assert.equal(await answerTo(again.port, 'alice', 'another'), '00');
  });
});
