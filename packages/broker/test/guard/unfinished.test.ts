import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Beginner, Unfinished } from '../../dist/guard/unfinished.js';

class Client implements Beginner {
  gaveUp = 0;

  constructor(public isProven = false) {}

  giveUp(): void {
    this.gaveUp++;
  }
}

describe('Memory for packets that are not whole', () => {
  it('is given up to the limit, and for a byte more whoever began first gives up', () => {
    const all = new Unfinished({ max_unfinished_bytes: 100 });
    const [first, second] = [new Client(), new Client()];
    assert.ok(all.reserve(first, 40) && all.reserve(second, 30) && all.reserve(first, 30));
    assert.deepEqual([all.bytes, all.evicted, first.gaveUp], [100, 0, 0]);
    assert.ok(all.reserve(second, 1));
    assert.deepEqual([all.bytes, all.evicted, first.gaveUp, second.gaveUp], [31, 1, 1, 0]);
  });

  it('is given back, and who gave all of it back begins anew', () => {
    const all = new Unfinished({ max_unfinished_bytes: 100 });
    const [first, second] = [new Client(), new Client()];
    all.reserve(first, 60);
    all.reserve(second, 40);
    all.release(first, 60);
    assert.equal(all.bytes, 40);
    all.reserve(first, 60);
    all.reserve(first, 1);
    assert.deepEqual([first.gaveUp, second.gaveUp, all.bytes], [0, 1, 61]);
  });

  it('is taken from strangers before those who have proven who they are', () => {
    const all = new Unfinished({ max_unfinished_bytes: 100 });
    const [known, stranger] = [new Client(true), new Client()];
    all.reserve(known, 60);
    all.reserve(stranger, 40);
    assert.equal(all.reserve(stranger, 1), false);
    assert.deepEqual([known.gaveUp, stranger.gaveUp, all.bytes], [0, 1, 60]);
    assert.equal(all.reserve(known, 41), false);
    assert.deepEqual([known.gaveUp, all.bytes], [1, 0]);
  });

  it('is never more than the limit, whoever takes and gives back and leaves', () => {
    const step = fc.record({ who: fc.nat(5), bytes: fc.integer({ min: -50, max: 60 }), leaves: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const all = new Unfinished({ max_unfinished_bytes: 100 });
        const clients = Array.from({ length: 6 }, (_, index) => ({ held: 0, client: new Client(index > 3) }));
        for (const { who, bytes, leaves } of steps) {
          const one = clients[who] as (typeof clients)[number];
          if (leaves) all.forget(one.client);
          else if (bytes > 0) all.reserve(one.client, bytes);
          else all.release(one.client, Math.min(one.held, -bytes));
          one.held = leaves ? 0 : Math.max(0, one.held + bytes);
          for (const each of clients) if (each.client.gaveUp > 0) each.held = each.client.gaveUp = 0;
          assert.ok(all.bytes <= 100);
          assert.equal(
            all.bytes,
            clients.reduce((sum, { held }) => sum + held, 0),
          );
        }
      }),
    );
  });
});
