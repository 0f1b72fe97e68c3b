import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Client, connect, type Message } from '@moat/client';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';

const cycles = 5;
const perCycle = 400;

/** Everything on disk, and no question asked; `data_dir` is the default. */
const configuration = `listeners: [{ protocol: mqtt, port: 0 }]
authentication: { allow_anonymous: true }
authorization: { default: allow }
`;

/** Anonymous, since the user that a first start makes is nobody's here. */
function open(port: number, clientId: string, received?: (message: Message) => void): Promise<Client> {
  return connect({
    protocol: 'mqtt',
    host: '127.0.0.1',
    port,
    clientId,
    cleanStart: false,
    reconnect: false,
    properties: { sessionExpiryInterval: 600 },
    ...(received === undefined ? {} : { onUnmatched: received }),
  });
}

test('what was acknowledged outlives kill -9, again and again, in order', async () => {
  const cwd = join(await temporaryDirectory(), 'durable');
  await mkdir(cwd);
  const acknowledged = { 1: new Set<number>(), 2: new Set<number>() };
  let broker = await RunningBroker.start(cwd, configuration);

  const subscriber = await open(await broker.port('mqtt'), 'subscriber');
  await subscriber.subscribe('q1/#', { qos: 1 });
  await subscriber.subscribe('q2/#', { qos: 2 });
  await subscriber.close();

  let next = 0;
  for (let cycle = 0; cycle < cycles; cycle++) {
    const publisher = await open(await broker.port('mqtt'), `publisher-${cycle}`);
    const killAfter = Math.floor(Math.random() * perCycle);
    const sent: Promise<void>[] = [];
    let answers = 0;
    for (let count = 0; count < perCycle; count++) {
      const number = next++;
      const qos = number % 2 === 0 ? 1 : 2;
      const answered = publisher.publish(`q${qos}/x`, String(number), { qos }).then(
        () => {
          acknowledged[qos].add(number);
          if (++answers === killAfter) broker.process.kill('SIGKILL');
        },
        () => {}, // never acknowledged: it may have arrived or not
      );
      sent.push(answered);
    }
    if (killAfter === 0) broker.process.kill('SIGKILL');
    await once(broker.process, 'exit');
    await Promise.all(sent);
    await publisher.close().catch(() => {});
    broker = await RunningBroker.start(cwd, configuration);
  }

  const arrived = { 1: [] as number[], 2: [] as number[] };
  const missing = (): number =>
    [1, 2].reduce((sum, qos) => {
      const have = new Set(arrived[qos as 1 | 2]);
      return sum + [...acknowledged[qos as 1 | 2]].filter((number) => !have.has(number)).length;
    }, 0);
  let progress = (): void => {};
  const again = await open(await broker.port('mqtt'), 'subscriber', ({ topic, payload }) => {
    arrived[topic === 'q1/x' ? 1 : 2].push(Number(payload.toString()));
    progress();
  });
  await new Promise<void>((resolve) => {
    progress = () => {
      if (missing() === 0) resolve();
    };
    progress();
  });
  await again.close();
  for (const qos of [1, 2] as const) {
    assert.ok(acknowledged[qos].size > 0);
    assert.deepEqual(
      arrived[qos],
      [...new Set(arrived[qos])].sort((a, b) => a - b),
      `QoS ${qos}: once, and in order`,
    );
  }
  assert.equal(await broker.stop(), 0);
});
