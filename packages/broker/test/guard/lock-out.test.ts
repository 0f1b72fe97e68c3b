import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { limitsOf } from '../../dist/config/profiles.js';
import { Flapping } from '../../dist/guard/flapping.js';
import { LockOut, type LockOutLimits } from '../../dist/guard/lock-out.js';
import { Tally } from '../../dist/guard/tally.js';
import type { ConfigurationInput } from '../../dist/index.js';
import { readPacket, startBroker } from '../support/broker.js';
import { connectFrom } from '../support/from-address.js';
import { connectPacket } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';

const limits: LockOutLimits = limitsOf('standard');
const standard = {
  max_failures_per_address: 10,
  max_failures_per_pair: 5,
  max_failures_per_username: 20,
  max_malformed_per_address: 100,
  max_connects_per_clientid: 60,
  max_login_delay: 1,
};

async function guessable(t: TestContext, input: ConfigurationInput = {}) {
  const { broker, port, stop } = await startBroker(
    { authentication: {}, limits: standard, ...input },
    { files: { passwords: await passwordFile({ victim: 'secret', neighbour: 'secret' }) } },
  );
  t.after(stop);
  /** The reason code of CONNACK; undefined when there was none. */
  async function login(address: string, username: string, password: string, clientId = username) {
    const client = await connectFrom(address, port);
    client.send(connectPacket(5, { username, password, clientId }));
    const connack = await readPacket(client).catch(() => undefined);
    client.end();
    return connack === undefined ? undefined : Number.parseInt(connack.slice(6, 8), 16);
  }
  return { broker, port, login };
}

describe('Guessing', () => {
  it('from one address at many names is over by the tenth, for that address', async (t) => {
    const { broker, login } = await guessable(t);
    const outcomes: (number | undefined)[] = [];
    for (let guess = 0; guess < 1_000; guess++) outcomes.push(await login('127.0.0.2', `user${guess}`, 'guess'));
    assert.deepEqual(outcomes.slice(0, 10), Array(10).fill(0x86));
    assert.deepEqual(new Set(outcomes.slice(10)), new Set([undefined]));
    assert.equal(broker.status().events['auth.locked'], 1);
    assert.equal(await login('127.0.0.2', 'victim', 'secret'), undefined);
    assert.equal(await login('127.0.0.3', 'victim', 'secret'), 0);
  });

  it('at one name locks out the two together, and no neighbour behind the same address', async (t) => {
    const { login } = await guessable(t);
    for (let guess = 0; guess < 5; guess++) assert.equal(await login('127.0.0.2', 'victim', 'guess'), 0x86);
    for (let guess = 0; guess < 20; guess++) assert.equal(await login('127.0.0.2', 'victim', 'secret'), 0x8a);
    assert.equal(await login('127.0.0.2', 'neighbour', 'secret'), 0);
    assert.equal(await login('127.0.0.3', 'victim', 'secret'), 0);
  });

  it('spares those that have logged in from the address before, when it is locked out', async (t) => {
    const { login } = await guessable(t);
    assert.equal(await login('127.0.0.2', 'neighbour', 'secret'), 0);
    for (let guess = 0; guess < 12; guess++) await login('127.0.0.2', `user${guess}`, 'guess');
    assert.equal(await login('127.0.0.2', 'victim', 'secret'), 0x8a);
    assert.equal(await login('127.0.0.2', 'neighbour', 'secret'), 0);
  });

  it('from 500 addresses at one name does not keep the victim out', async (t) => {
    const { login } = await guessable(t);
    const addresses = Array.from({ length: 500 }, (_, index) => `127.1.${index >> 8}.${index & 0xff}`);
    assert.equal(await login('127.0.0.9', 'victim', 'secret'), 0);
    const guesses = addresses.map((address) => login(address, 'victim', 'guess'));
    assert.equal(await login('127.0.0.9', 'victim', 'secret'), 0);
    await Promise.all(guesses);
    assert.equal(await login('127.0.0.8', 'victim', 'secret'), 0);
  });

  it('leaves addresses of guard.allow alone', async (t) => {
    const { login } = await guessable(t, { guard: { allow: ['127.0.0.2'] } });
    for (let guess = 0; guess < 15; guess++) assert.equal(await login('127.0.0.2', 'victim', 'guess'), 0x86);
    assert.equal(await login('127.0.0.2', 'victim', 'secret'), 0);
  });
});

describe('Malformed packets', () => {
  it('lock out the address they come from', async (t) => {
    const { port, login } = await guessable(t, { limits: { ...standard, max_malformed_per_address: 3 } });
    for (let index = 0; index < 3; index++) {
      const client = await connectFrom('127.0.0.2', port);
      client.send('f0000000');
      await client.rest();
    }
    assert.equal(await login('127.0.0.2', 'victim', 'secret'), undefined);
    assert.equal(await login('127.0.0.3', 'victim', 'secret'), 0);
  });
});

describe('A client ID that comes and goes', () => {
  it('is refused for a minute when that is too often', async (t) => {
    const { broker, login } = await guessable(t, { limits: { ...standard, max_connects_per_clientid: 4 } });
    const outcomes: unknown[] = [];
    for (let index = 0; index < 5; index++) outcomes.push(await login('127.0.0.2', 'victim', 'secret'));
    assert.deepEqual(outcomes, [0, 0, 0, 0x9f, 0x9f]);
    assert.equal(broker.status().events['limit.flapping'], 2);
    assert.equal(await login('127.0.0.2', 'victim', 'secret', 'victim:other'), 0);
  });

  it('is let in again after the minute, and never refused when it comes rarely', () => {
    const flapping = new Flapping();
    const connects = (key: string, now: number): boolean => flapping.connects(key, 3, now);
    assert.deepEqual(
      [0, 1, 2, 3, 60_001].map((now) => connects('a', now)),
      [false, false, true, true, true],
    );
    assert.deepEqual([...flapping.locked(60_001)], [{ what: 'a', until: 60_002 }]);
    assert.equal(connects('a', 60_002), false);
    for (let now = 0; now < 10_000_000; now += 30_000) assert.equal(connects('b', 100_000 + now), false);
  });

  it('is never refused where its number is not bounded', () => {
    const flapping = new Flapping();
    for (let each = 0; each < 1_000; each++)
      assert.equal(flapping.connects('a', limitsOf('off').max_connects_per_clientid, each), false);
  });

  it('takes no more memory than is allowed for', () => {
    const flapping = new Flapping();
    for (let each = 0; each < 140_000; each++) assert.equal(flapping.connects(`flaps ${each}`, 1, each / 1_000), true);
    assert.equal([...flapping.locked(141)].length, 140_000 - 65_536);
    assert.equal(flapping.connects('flaps 0', 2, 141), false);
  });
});

describe('A lock-out', () => {
  it('ends, and is twice as long the next time within a day, up to the longest', () => {
    const lockOut = new LockOut({ ...limits, lockout_time: 60, max_lockout_time: 200 });
    let now = 1_000_000;
    const lasts = [60, 120, 200, 200].map(() => {
      for (let index = 0; index < limits.max_failures_per_address; index++) {
        const locked = lockOut.failed('192.0.2.1', `user${index}`, now);
        if (locked !== undefined) {
          assert.equal(lockOut.refusesAddress('192.0.2.1', locked.until - 1), true);
          assert.equal(lockOut.refusesAddress('192.0.2.1', locked.until), false);
          const lasted = (locked.until - now) / 1000;
          now = locked.until;
          return lasted;
        }
      }
      return undefined;
    });
    assert.deepEqual(lasts, [60, 120, 200, 200]);
  });

  it('does not come of failures that are far apart', () => {
    const lockOut = new LockOut(limits);
    for (let hour = 0; hour < 100; hour++)
      assert.equal(lockOut.failed('192.0.2.1', 'user', hour * 3_600_000), undefined);
  });

  it('comes of failures within failure_window, and of none a millisecond further apart', () => {
    for (const over of [0, 1]) {
      const lockOut = new LockOut({ ...limits, failure_window: 60, max_failures_per_address: 2 });
      lockOut.failed('192.0.2.1', 'one', 1_000);
      const locked = lockOut.failed('192.0.2.1', 'other', 61_000 + over);
      assert.equal(locked?.kind, over === 0 ? 'address' : undefined);
    }
  });

  it('holds for the whole /64 of an IPv6 address', () => {
    const lockOut = new LockOut(limits);
    for (let index = 0; index < 10; index++) lockOut.failed(`2001:db8::${index}`, `user${index}`, 0);
    assert.equal(lockOut.refusesAddress('2001:db8::ffff', 1), true);
    assert.equal(lockOut.refusesAddress('2001:db8:0:1::1', 1), false);
  });

  it('makes a name wait twice as long with each further failure, up to the longest, except where it is known', () => {
    const lockOut = new LockOut({ ...limits, max_login_delay: 2 });
    lockOut.succeeded('192.0.2.200', 'user');
    const delays = Array.from({ length: 26 }, (_, index) => {
      lockOut.failed(`192.0.2.${index}`, 'user', 0);
      return lockOut.delayOf('192.0.2.100', 'user', 0);
    });
    assert.deepEqual(delays.slice(18), [0, 250, 500, 1_000, 2_000, 2_000, 2_000, 2_000]);
    assert.equal(lockOut.delayOf('192.0.2.200', 'user', 0), 0);
  });

  it('remembers no more than it may', () => {
    const tally = new Tally();
    const rule = { most: 1, window: 1_000, first: 1_000_000, longest: 1_000_000 };
    for (let index = 0; index < 70_000; index++) tally.fail(`address ${index}`, 0, rule);
    assert.equal([...tally.locked(1)].length, 65_536);
    assert.equal(tally.lockedUntil('address 0', 1), undefined);
  });
});
