import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { HandshakeGate } from '../../dist/transport/handshake-gate.js';

const perTurn = 4;

describe('The handshake gate', () => {
  it('lets few begin in one turn, and the others in the turns after it, in order', async () => {
    const gate = new HandshakeGate({ max_handshakes: 100 });
    const begun: number[] = [];
    for (let index = 0; index < 10; index++) gate.enter(() => begun.push(index));
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
    for (let index = 0; index < 4; index++) gate.enter(() => begun.push(index));
    await turn();
    assert.deepEqual(begun, [0, 1]);
    gate.leave();
    assert.deepEqual(begun, [0, 1, 2]);
    gate.leave();
    assert.deepEqual(begun, [0, 1, 2, 3]);
    gate.leave();
    gate.leave();
    assert.equal(gate.active, 0);
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
          let entered = 0;
          let left = 0;
          let thisTurn = 0;
          const enter = (): void => {
            const index = entered++;
            gate.enter(() => {
              begun.push(index);
              thisTurn++;
            });
          };
          for (const each of events) {
            if (each === 'enter') enter();
            else if (each === 'leave' && begun.length > left) {
              left++;
              gate.leave();
            } else if (each === 'turn') {
              thisTurn = 0;
              await turn();
            }
            assert.equal(gate.active, begun.length - left);
            assert.ok(gate.active <= most);
            assert.ok(thisTurn <= 2 * perTurn);
          }
          while (begun.length < entered) {
            if (begun.length > left) {
              left++;
              gate.leave();
            }
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
