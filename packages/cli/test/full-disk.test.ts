import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@moat/client';
import { RawClient, readPacket } from '@moat/testkit';
import { connectPacket } from '@moat/testkit/packets';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const configuration = `listeners: [{ protocol: mqtt, port: 0 }]
authentication: { allow_anonymous: true }
authorization: { default: allow }
`;

/** Limits how large a file of the process may grow: what a full disk is to its store. */
function mayGrowTo(pid: number | undefined, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

test('a broker starts while its disk is full, and keeps what has changed as soon as there is room', async (t) => {
  const cwd = join(await temporaryDirectory(), 'full');
  await mkdir(cwd);
  const killed = await RunningBroker.start(cwd, configuration);
  t.after(() => killed.stop('SIGKILL'));
  const to = { protocol: 'mqtt', host: '127.0.0.1', reconnect: false } as const;
  const properties = { sessionExpiryInterval: 600 };
  const port = await killed.port('mqtt');
  const keeper = await connect({ ...to, port, clientId: 'keeper', cleanStart: false, properties });
  await keeper.subscribe('kept/#', { qos: 1 });
  await killed.stop('SIGKILL'); // the next one has to keep that the client is gone
  await keeper.close();

  const broker = await RunningBroker.start(cwd, configuration, { by: ['prlimit', '--fsize=1:unlimited'] });
  t.after(() => broker.stop('SIGKILL'));
  await broker.logged('storage.failing');
  const publisher = await connect({ ...to, port: await broker.port('mqtt') });
  const publish = () => publisher.publish('kept/x', 'x', { qos: 1 });
  await assert.rejects(publish(), /0x97|quota/i);
  mayGrowTo(broker.process.pid, 'unlimited');
  await broker.logged('storage.recovered');
  await publish();
  await publisher.close();
  assert.match((await moat(['status'], { cwd })).stdout, /^sessions +1\b/m);
  assert.equal(await broker.stop(), 0);
});

test('a session that its client resumed while the disk was full is there after a crash, whose time was over otherwise', async (t) => {
  const cwd = join(await temporaryDirectory(), 'full');
  await mkdir(cwd);
  let broker = await RunningBroker.start(cwd, configuration);
  t.after(() => broker.stop('SIGKILL'));
  const crash = async () => {
    await broker.stop('SIGKILL');
    broker = await RunningBroker.start(cwd, configuration);
  };
  const resume = async () => {
    const client = await RawClient.connect(await broker.port('mqtt'));
    client.send(connectPacket(5, { clientId: 'keeper', cleanStart: false, properties: '1100000002' }));
    return { client, present: (await readPacket(client)).slice(4, 6) };
  };
  const leave = async (client: RawClient) => {
    client.send('e000');
    await client.closed();
  };
  await leave((await resume()).client);
  await delay(200); // that it has left is on disk

  mayGrowTo(broker.process.pid, 1);
  const publisher = await connect({
    protocol: 'mqtt',
    host: '127.0.0.1',
    port: await broker.port('mqtt'),
    reconnect: false,
  });
  await assert.rejects(publisher.publish('retained', 'x', { qos: 1, retain: true }), /0x97|quota/i);
  assert.equal((await resume()).present, '01');
  await delay(2_200);
  await crash();
  const resumed = await resume();
  assert.equal(resumed.present, '01');

  await leave(resumed.client);
  await delay(2_200);
  await crash();
  assert.equal((await resume()).present, '00', 'what the store says is believed again');
});

test('a broker whose disk is full says so, refuses what it cannot store, and recovers by itself', async (t) => {
  const cwd = join(await temporaryDirectory(), 'full');
  await mkdir(cwd);
  const broker = await RunningBroker.start(cwd, configuration);
  t.after(() => broker.stop('SIGKILL'));
  const port = await broker.port('mqtt');
  const subscriber = await connect({
    protocol: 'mqtt',
    host: '127.0.0.1',
    port,
    clientId: 'keeper',
    cleanStart: false,
    reconnect: false,
    properties: { sessionExpiryInterval: 600 },
  });
  await subscriber.subscribe('kept/#', { qos: 1 });
  await subscriber.close();
  const publisher = await connect({ protocol: 'mqtt', host: '127.0.0.1', port, reconnect: false });
  const publish = () => publisher.publish('kept/x', Buffer.alloc(20_000), { qos: 1 });

  await publish();
  const { size } = await stat(join(cwd, 'moat-data/store/data.mdb'));
  mayGrowTo(broker.process.pid, size + 100_000);
  let accepted = 0;
  await assert.rejects(async () => {
    for (;;) {
      await publish();
      accepted++;
    }
  }, /0x97|quota/i);
  assert.ok(accepted > 0, 'there was room for some');
  await broker.logged('storage.failing');
  const { stdout } = await moat(['status'], { cwd });
  assert.match(stdout, /^storage +failing: /m);
  await publisher.publish('elsewhere', 'x', { qos: 1 });

  mayGrowTo(broker.process.pid, 'unlimited');
  await broker.logged('storage.recovered');
  await publish();
  assert.doesNotMatch((await moat(['status'], { cwd })).stdout, /failing:/);
  await publisher.close();
  assert.equal(await broker.stop(), 0);
});
