import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { inTurns, waitFor } from '@moat/testkit';
import { closeInTurn } from '../../dist/transport/close-in-turn.js';
import { connected, startBroker } from '../support/broker.js';

const perTurn = 50;

test('Those whose peers have left are closed in order, so many in a turn, the first at once', async () => {
  const closed: number[] = [];
  for (let index = 0; index < 120; index++) closeInTurn({ destroy: () => closed.push(index) });
  for (const count of [perTurn, 2 * perTurn, 120, 120]) {
    assert.deepEqual(
      closed,
      Array.from({ length: count }, (_, index) => index),
    );
    await turn();
  }
  closeInTurn({ destroy: () => closed.push(120) });
  assert.equal(closed.at(-1), 120);
});

test('A crowd that leaves at once is gone soon, and who stays is served', async (t) => {
  const { broker, port, stop } = await startBroker();
  t.after(stop);
  const stays = await connected(port, 5);
  const crowd = await inTurns(500, 50, () => connected(port, 5));
  assert.equal(broker.status().connections, 501);
  for (const client of crowd) client.socket.end();
  await waitFor(() => broker.status().connections === 1 && broker.status().guard.connections === 1);
  stays.send('c000');
  await stays.expect('d000');
  stays.end();
});
