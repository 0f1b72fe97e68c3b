import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Backlog, type MemoryOwner } from '../dist/backlog.js';
import { CodecError, Parser, type ParserOptions, ReasonCode, writeVariableByteInteger } from '../dist/index.js';
import { MemoryPool } from '../dist/memory-pool.js';

function variableByteInteger(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  return bytes.subarray(0, writeVariableByteInteger(bytes, 0, value));
}

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

/** Lends so many bytes, and closes a parser that wants more. */
class Lender implements MemoryOwner {
  lent = 0;
  most = 0;

  constructor(private readonly limit: number) {}

  reserve(bytes: number): boolean {
    if (this.lent + bytes > this.limit) return false;
    this.lent += bytes;
    this.most = Math.max(this.most, this.lent);
    return true;
  }

  release(bytes: number): void {
    this.lent -= bytes;
  }
}

describe('The owner of the memory', () => {
  const options: ParserOptions = { role: 'server', maximumPacketSize: 1_048_576, maximumUserProperties: 10 };
  const connect = Buffer.from('100d00044d5154540402003c000163', 'hex');
  const publish = (length: number): Buffer =>
    Buffer.concat([
      Buffer.from([0x30]),
      variableByteInteger(length + 3),
      Buffer.from('000174', 'hex'),
      Buffer.alloc(length),
    ]);

  it('is not asked for a few kilobytes, and is asked before more are taken', () => {
    const lender = new Lender(65_536);
    const backlog = new Backlog(lender);
    backlog.append(Buffer.alloc(4_096), 0, 4_096);
    assert.equal(lender.most, 0);
    backlog.append(Buffer.alloc(1), 0, 1);
    assert.equal(lender.lent, backlog.buffer.length);
    const { buffer } = backlog;
    assert.throws(() => backlog.append(Buffer.alloc(65_536), 0, 65_536), { reasonCode: ReasonCode.quotaExceeded });
    assert.equal(backlog.buffer, buffer, 'nothing was taken');
    backlog.release();
    assert.equal(lender.lent, 0);
  });

  it('gets back everything, however a packet ends', () => {
    const cut = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 20 });
    const end = fc.constantFrom('close', 'fault', 'whole', 'receiver closes');
    fc.assert(
      fc.property(fc.integer({ min: 5_000, max: 100_000 }), cut, end, (length, sizes, how) => {
        const lender = new Lender(1_000_000);
        const receiver = { packet: () => {}, publish: () => how === 'receiver closes' && parser.close() };
        const parser = new Parser(receiver, options, lender);
        const bytes = Buffer.concat([
          connect,
          publish(length),
          how === 'fault' ? Buffer.from('ffff', 'hex') : publish(9),
        ]);
        let at = 0;
        const feed = (size: number): void => {
          parser.feed(bytes.subarray(at, at + size));
          at = Math.min(bytes.length, at + size);
          assert.ok(lender.lent >= (parser.buffered > 4_096 ? parser.buffered : 0));
        };
        try {
          for (const size of sizes) feed(size);
          if (how === 'close') parser.close();
          else feed(bytes.length);
        } catch (error) {
          assert.ok(error instanceof CodecError);
        }
        assert.equal(lender.lent, 0);
      }),
    );
  });

  it('answers for what comes while the parser is paused as well', () => {
    const lender = new Lender(100_000);
    const parser = new Parser({ packet: () => parser.pause(), publish: () => {} }, options, lender);
    parser.feed(Buffer.concat([connect, publish(20_000)]));
    assert.ok(lender.lent >= 20_000);
    parser.resume();
    assert.equal(lender.lent, 0);
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
