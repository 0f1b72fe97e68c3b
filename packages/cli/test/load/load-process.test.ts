import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needs } from '@moat/testkit';
import { LoadProcess } from '../../dist/load/index.js';
import { startTarget } from './mosquitto.js';

const timeout = 30_000;
const pair = { kind: 'traffic', publishers: 1, subscribers: 1, qos: 0, payloadBytes: 64, window: 100 } as const;

test('traffic runs in a process of its own', { ...needs('mosquitto'), timeout }, async (t) => {
  const { target } = await startTarget(t);
  const load = await LoadProcess.open({ ...pair, target });
  assert.notEqual(load.pid, process.pid);
  const { delivered, expected } = await load.run(100);
  await load.close();
  assert.ok(expected > 0);
  assert.equal(delivered, expected);
});

test('connections are opened, closed and kept', { ...needs('mosquitto'), timeout }, async (t) => {
  const { target } = await startTarget(t);
  const connect = await LoadProcess.open({ kind: 'connect', target, concurrency: 8 });
  assert.equal((await connect.run(50)).connections, 50);
  await connect.close();

  const idle = await LoadProcess.open({ kind: 'idle', target });
  await idle.run(30);
  assert.equal((await idle.run(0)).connections, 0);
  await idle.close();
});

test('idle connections that the broker has closed are reported', { ...needs('mosquitto'), timeout }, async (t) => {
  const broker = await startTarget(t);
  const idle = await LoadProcess.open({ kind: 'idle', target: broker.target });
  await idle.run(10);
  broker.process.kill('SIGKILL');
  await assert.rejects(idle.run(1), /ECONNREFUSED|closed 10 idle|closed the connection|ECONNRESET/);
  idle.kill();
});

test('a broker that cannot be reached is an error with its cause', { timeout }, async () => {
  await assert.rejects(LoadProcess.open({ ...pair, target: { host: '127.0.0.1', port: 1 } }), /ECONNREFUSED/);
});
