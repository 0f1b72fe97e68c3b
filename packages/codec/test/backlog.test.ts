import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Backlog } from '../dist/backlog.js';
import { MemoryPool } from '../dist/memory-pool.js';

const text = (backlog: Backlog): string =>
  Buffer.from(backlog.buffer.subarray(backlog.start, backlog.end)).toString('latin1');

describe('The backlog', () => {
  it('holds what was appended and not consumed, in order', () => {
    const step = fc.oneof(
      fc.record({ append: fc.nat(9_000), expected: fc.nat(100_000) }),
      fc.record({ consume: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.constant('shrink' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const backlog = new Backlog();
        let model = '';
        let next = 0;
        for (const what of steps) {
          if (what === 'shrink') backlog.shrink();
          else if ('append' in what) {
            const bytes = Buffer.alloc(what.append + 2, String.fromCharCode(97 + (next++ % 26)));
            backlog.append(bytes, 1, bytes.length - 1, what.expected);
            model += bytes.toString('latin1', 1, bytes.length - 1);
          } else {
            const count = Math.floor(what.consume * backlog.length);
            backlog.start += count;
            model = model.slice(count);
          }
          assert.equal(text(backlog), model);
        }
        backlog.release();
        assert.equal(backlog.length, 0);
      }),
    );
  });

  it('takes memory by what arrives, and at most eight times that where a packet announces more', () => {
    for (const arrived of [1, 63, 64, 65, 1000, 5000, 70_000]) {
      const announcing = new Backlog();
      announcing.append(Buffer.alloc(arrived), 0, arrived, 268_435_455);
      assert.ok(announcing.buffer.length <= Math.max(64, 8 * arrived), `${announcing.buffer.length} for ${arrived}`);
    }
  });

  it('has room for the whole packet once a quarter of it is there', () => {
    const backlog = new Backlog();
    backlog.append(Buffer.alloc(4_100), 0, 4_100, 16_400);
    const { buffer } = backlog;
    backlog.append(Buffer.alloc(12_300), 0, 12_300);
    assert.equal(backlog.buffer, buffer);
  });
});

describe('The memory pool', () => {
  it('uses again what was given back, for what fits', () => {
    const pool = new MemoryPool();
    const memory = pool.take(5_000);
    assert.equal(memory.length, 8_192);
    pool.giveBack(memory);
    assert.notEqual(pool.take(4_096), memory);
    assert.equal(pool.take(8_192), memory);
    assert.notEqual(pool.take(8_192), memory, 'given out twice');
  });

  it('keeps nothing small or large, and a bounded amount of the rest', () => {
    const pool = new MemoryPool();
    for (const size of [64, 2_048, 524_288]) {
      const memory = pool.take(size);
      pool.giveBack(memory);
      assert.notEqual(pool.take(size), memory);
    }
    const many = Array.from({ length: 10 }, () => pool.take(262_144));
    for (const memory of many) pool.giveBack(memory);
    const again = many.map(() => pool.take(262_144));
    assert.equal(again.filter((memory) => many.includes(memory)).length, 4);
  });
});
