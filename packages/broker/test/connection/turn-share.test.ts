import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { beginWork, endWork } from '../../dist/connection/turn-share.js';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { publish } from '../support/packets.js';

const large = 16_384;
const share = 5;

function worker(state = 'connected') {
  const happened: string[] = [];
  return { state, worked: 0, happened, hold: () => happened.push('rest'), unhold: () => happened.push('go on') };
}

/** Works for so many milliseconds on a read. */
function work(one: ReturnType<typeof worker>, milliseconds: number, bytes = large): void {
  const began = beginWork(bytes);
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
  endWork(one, began);
}

describe('A share of the event loop', () => {
  it('is over after some milliseconds, and begins anew a turn later', async () => {
    const one = worker();
    work(one, share);
    assert.deepEqual(one.happened, ['rest']);
    await turn();
    assert.deepEqual(one.happened, ['rest', 'go on']);
    assert.equal(one.worked, 0);
  });

  it('is over after many reads that take little each', () => {
    const one = worker();
    let reads = 0;
    for (; one.happened.length === 0; reads++) work(one, share / 10);
    assert.ok(reads <= 10, `${reads} reads`);
  });

  it('has no part in small reads, nor in clients that have gone', () => {
    const [small, gone] = [worker(), worker('closed')];
    work(small, share, large - 1);
    work(gone, share);
    assert.deepEqual([small.happened, gone.happened, small.worked], [[], [], 0]);
  });

  it('costs no message: what comes in all at once is worked off to its end', async (t) => {
    const { broker, port, stop } = await startBroker({ limits: { profile: 'off' } });
    t.after(stop);
    const client = await connected(port, 5);
    const messages = 50_000;
    const all = Array.from({ length: messages }, (_, index) =>
      publish(5, `t/${index}`, 'x'.repeat(100), { retain: true }),
    );
    client.send(`${all.join('')}c000`);
    assert.equal(await readPacket(client), 'd000');
    assert.equal(broker.status().retained.messages, messages);
    client.end();
  });
});
