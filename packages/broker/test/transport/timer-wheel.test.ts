import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TimerWheel } from '../../dist/transport/timer-wheel.js';

const { tick } = TimerWheel;

/** A wheel with a clock that is moved by hand. */
function wheelAt(start = 5_000): { wheel: TimerWheel; pass(milliseconds: number): void; now(): number } {
  let now = start;
  const wheel = new TimerWheel(() => now);
  wheel.stop();
  const pass = (milliseconds: number): void => {
    now += milliseconds;
    wheel.advance();
  };
  return { wheel, pass, now: () => now };
}

describe('The timer wheel', () => {
  it('fires never early and at most one tick late, and once, whatever is set and whenever it is looked at', () => {
    const event = fc.oneof(
      fc.record({ set: fc.oneof(fc.nat(2_000), fc.nat(400_000)) }),
      fc.record({ pass: fc.oneof(fc.nat(600), fc.nat(300_000)) }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60, size: 'max' }), (events) => {
        const { wheel, pass, now } = wheelAt();
        const due: number[] = [];
        const fired = new Map<number, number>();
        let lastLook = now();
        for (const each of events) {
          if ('set' in each) {
            const index = due.push(now() + each.set) - 1;
            wheel.after(each.set, () => {
              assert.equal(fired.has(index), false);
              fired.set(index, now());
            });
          } else {
            pass(each.pass);
            lastLook = now();
          }
          for (const [index, at] of due.entries()) {
            const firedAt = fired.get(index);
            if (firedAt !== undefined) assert.ok(firedAt >= at, 'early');
            else assert.ok(lastLook < at + tick, 'late');
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not fire what was cancelled, before, twice or from within another action', () => {
    const { wheel, pass } = wheelAt();
    const fired: string[] = [];
    const before = wheel.after(100, () => fired.push('before'));
    before.cancel();
    before.cancel();
    wheel.after(1_000, () => within.cancel());
    const within = wheel.after(1_000, () => fired.push('within'));
    const after = wheel.after(100, () => fired.push('after'));
    pass(10_000);
    after.cancel();
    pass(200_000);
    assert.deepEqual(fired, ['after']);
  });

  it('fires what an action sets, not in the same turn', () => {
    const { wheel, pass } = wheelAt();
    let count = 0;
    const again = (): void => {
      count++;
      wheel.after(0, again);
    };
    wheel.after(0, again);
    pass(tick);
    assert.equal(count, 1);
    pass(tick);
    assert.equal(count, 2);
  });

  it('takes delays that no timer of the system takes', () => {
    const { wheel, pass } = wheelAt();
    let fired = false;
    wheel.after(0xffff_fffe * 1_000, () => {
      fired = true;
    });
    for (let day = 0; day < 10; day++) pass(86_400_000);
    assert.equal(fired, false);
    pass(0xffff_ffff * 1_000);
    assert.equal(fired, true);
  });

  it('keeps a coarse time that is as old as its last tick', () => {
    const { wheel, pass, now } = wheelAt();
    assert.equal(wheel.now, now());
    pass(1_234);
    assert.equal(wheel.now, now());
  });

  it('runs by itself, and does not keep the process alive', async () => {
    const wheel = new TimerWheel();
    const alive = setTimeout(() => {}, 5_000);
    await new Promise<void>((resolve) => wheel.after(1, resolve));
    clearTimeout(alive);
    wheel.stop();
  });
});
