import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomClientId } from '@moat/client';

test('client IDs are the user name, a colon and letters', () => {
  assert.equal(randomClientId('pump-7', Uint8Array.of(0, 1, 25, 26, 255, 2, 3, 4)), 'pump-7:abzavcde');
  assert.match(randomClientId(undefined, new Uint8Array(8)), /^moat-[a-z]{8}$/);
});
