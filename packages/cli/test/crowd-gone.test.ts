import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { inTurns, RawClient, readPacket } from '@moat/testkit';
import { connectPacket } from '@moat/testkit/packets';
import { RunningBroker } from './helpers/broker.js';
import { temporaryDirectory } from './helpers/directory.js';
import { moat } from './helpers/moat.js';

const crowd = 3_000;
/** Bytes of the heap that each takes, about. */
const perConnection = 8_000;
const fewLooks = 15;
const configuration = `
listeners: [{ protocol: mqtt, port: 0 }]
authentication: { allow_anonymous: true }
authorization: { default: allow }
guard: { allow: [127.0.0.0/8] }
storage: { engine: memory }
log: { format: json }
`;

test('a crowd that has gone leaves nothing on the heap, though nothing happens afterwards', async (t) => {
  const cwd = await temporaryDirectory();
  const broker = await RunningBroker.start(cwd, configuration);
  t.after(() => broker.stop());
  const port = await broker.port('mqtt');
  const look = async (): Promise<{ connections: number; memory: { heapUsed: number } }> =>
    JSON.parse((await moat(['status', '--json'], { cwd })).stdout);

  const before = await look();
  const clients = await inTurns(crowd, 100, async (index) => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(4, { clientId: `crowd-${index}` }));
    assert.equal(await readPacket(client), '20020000');
    return client;
  });
  assert.equal((await look()).connections, crowd);
  for (const client of clients) client.socket.destroy();
  // Each look leaves garbage behind itself: a hundred of them would bring the collection about that is to come by itself.
  for (let looks = 0; looks < fewLooks; looks++) {
    await pause(2_000);
    if ((await look()).memory.heapUsed < before.memory.heapUsed + crowd * (perConnection / 4)) return;
  }
  assert.fail('the heap did not come back');
});
