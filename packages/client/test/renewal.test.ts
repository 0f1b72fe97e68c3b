import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AutomaticRenewal, dueAt, type Life, pauseAfterFailure } from '../dist/renewal.js';

const hour = 3_600_000;

test('a certificate is due at two thirds of its life, and a fleet not all at once', () => {
  const life = { from: 0, to: 90 * hour };
  assert.equal(dueAt(life, 0), 60 * hour);
  assert.ok(dueAt(life, 0.999) > 60 * hour && dueAt(life, 0.999) < 65 * hour);
});

test('what failed is tried again while there is time, at least every hour and at most every minute', () => {
  assert.equal(pauseAfterFailure({ from: 0, to: 100 * hour }, 0), hour);
  assert.equal(pauseAfterFailure({ from: 0, to: 5 * hour }, 0), hour / 2);
  assert.equal(pauseAfterFailure({ from: 0, to: hour }, 2 * hour), 60_000);
});

test('renewal runs when it is due, again with the next certificate, and ends when it is told to', async () => {
  let life: Life = { from: Date.now() - 2_000, to: Date.now() + 100 };
  let renewals = 0;
  const renewal = new AutomaticRenewal(
    () => life,
    async () => {
      renewals++;
      life = { from: life.from, to: Date.now() + (renewals < 3 ? 60 : 1e9) };
      if (renewals === 3) renewal.stop();
    },
    () => 0,
  );
  // The timers keep no process alive: something else has to.
  const alive = setInterval(() => {}, 1_000);
  await renewal.run();
  clearInterval(alive);
  assert.equal(renewals, 3);
});

test('what failed, or has run out on arrival, is not asked for again at once', async () => {
  const alive = setInterval(() => {}, 1_000);
  for (const next of [(to: number) => to, (to: number) => to + 1]) {
    let life: Life = { from: Date.now() - 5_000, to: Date.now() - 1_000 };
    let renewals = 0;
    const renewal = new AutomaticRenewal(
      () => life,
      async () => {
        renewals++;
        life = { from: life.from, to: next(life.to) };
        setTimeout(() => renewal.stop(), 20);
      },
      () => 0,
    );
    await renewal.run();
    assert.equal(renewals, 1);
  }
  clearInterval(alive);
});

test('a client without a certificate is told so, and not renewed', async () => {
  const renewal = new AutomaticRenewal(
    () => {
      throw new Error('no certificate');
    },
    () => assert.fail('renewed'),
    () => 0,
  );
  await assert.rejects(renewal.run(), /no certificate/);
});
