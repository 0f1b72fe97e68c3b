import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { waitFor } from '@moat/testkit';
import fc from 'fast-check';
import { HandshakeGate } from '../../dist/transport/handshake-gate.js';

const perTurn = 4;
const abandon = (): void => {};

describe('The handshake gate', () => {
  it('lets few begin in one turn, and the others in the turns after it, in order', async () => {
    const gate = new HandshakeGate({ max_handshakes: 100 });
    const begun: number[] = [];
    for (let index = 0; index < 10; index++) gate.enter({ begin: () => begun.push(index), abandon });
    for (const count of [4, 8, 10, 10]) {
      assert.deepEqual(
        begun,
        Array.from({ length: count }, (_, index) => index),
      );
      await turn();
    }
    assert.equal(gate.active, 10);
  });

  it('lets no more go on at once than it may, and the next when one leaves', async () => {
    const gate = new HandshakeGate({ max_handshakes: 2 });
    const begun: number[] = [];
    const four = [0, 1, 2, 3].map((index) => ({ begin: () => begun.push(index), abandon }));
    for (const one of four) gate.enter(one);
    await turn();
    assert.deepEqual(begun, [0, 1]);
    for (const [index, one] of four.entries()) {
      gate.leave(one);
      gate.leave(one);
      assert.deepEqual(begun, [0, 1, 2, 3].slice(0, index + 3));
    }
    assert.equal(gate.active, 0);
  });

  it('has the oldest give way to those that wait, once it has had a second', async () => {
    let now = 0;
    const gate = new HandshakeGate({ max_handshakes: 1 }, () => now);
    const happened: string[] = [];
    const lazy = (name: string) => ({
      begin: () => happened.push(`${name} begun`),
      abandon: () => happened.push(`${name} abandoned`),
    });
    gate.enter(lazy('one'));
    now = 999;
    gate.enter(lazy('two'));
    await turn();
    assert.deepEqual(happened, ['one begun']);
    now = 1_000;
    await waitFor(() => happened.length === 3);
    assert.deepEqual(happened, ['one begun', 'one abandoned', 'two begun']);
    assert.deepEqual([gate.active, gate.abandoned], [1, 1]);
  });

  it('lets those that are known begin before strangers that came earlier', async () => {
    const gate = new HandshakeGate({ max_handshakes: 100 });
    const begun: string[] = [];
    const enter = (name: string, isKnown: boolean): void =>
      gate.enter({ begin: () => begun.push(name), abandon }, isKnown);
    for (let index = 0; index < 20; index++) enter(`stranger ${index}`, false);
    enter('known', true);
    assert.equal(begun.length, perTurn);
    await turn();
    assert.equal(begun[perTurn], 'known');
    while (begun.length < 21) await turn();
    assert.equal(begun.at(-1), 'stranger 19');
  });

  it('keeps the last tenth of the places for those that are known', async () => {
    let now = 0;
    const gate = new HandshakeGate({ max_handshakes: 10 }, () => now);
    const begun: string[] = [];
    const abandoned: string[] = [];
    const enter = (name: string, isKnown: boolean): void =>
      gate.enter({ begin: () => begun.push(name), abandon: () => abandoned.push(name) }, isKnown);
    for (let index = 0; index < 12; index++) enter(`stranger ${index}`, false);
    for (let turns = 0; turns < 5; turns++) await turn();
    assert.deepEqual([begun.length, gate.active], [9, 9]);
    enter('known 1', true);
    assert.deepEqual([begun.at(-1), gate.active], ['known 1', 10]);
    enter('known 2', true);
    await turn();
    assert.equal(begun.length, 10);
    now = 1_000;
    await waitFor(() => begun.includes('known 2'));
    assert.equal(abandoned[0], 'stranger 0');
    assert.ok(gate.active <= 10);
  });

  it('keeps to both bounds whatever comes and goes, and begins everybody once in order', async () => {
    const event = fc.constantFrom('enter' as const, 'enter' as const, 'leave' as const, 'turn' as const);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.array(event, { maxLength: 60, size: 'max' }),
        async (most, events) => {
          const gate = new HandshakeGate({ max_handshakes: most });
          const begun: number[] = [];
          const all: Parameters<typeof gate.enter>[0][] = [];
          const leave = (): void => {
            const oldest = all[left++];
            if (oldest !== undefined) gate.leave(oldest);
          };
          let entered = 0;
          let left = 0;
          let thisTurn = 0;
          const enter = (): void => {
            const index = entered++;
            const handshake = {
              begin: () => {
                begun.push(index);
                thisTurn++;
              },
              abandon,
            };
            all.push(handshake);
            gate.enter(handshake);
          };
          for (const each of events) {
            if (each === 'enter') enter();
            else if (each === 'leave' && begun.length > left) leave();
            else if (each === 'turn') {
              thisTurn = 0;
              await turn();
            }
            assert.equal(gate.active, begun.length - left);
            assert.ok(gate.active <= most);
            assert.ok(thisTurn <= 2 * perTurn);
          }
          while (begun.length < entered) {
            if (begun.length > left) leave();
            await turn();
          }
          assert.deepEqual(
            begun,
            Array.from({ length: entered }, (_, index) => index),
          );
        },
      ),
    );
  });
});
