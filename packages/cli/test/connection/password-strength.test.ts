import assert from 'node:assert/strict';
import { test } from 'node:test';
import { weaknessOf } from '../../dist/connection/password-strength.js';

test('a password is called weak when that is plain to see, and not otherwise', () => {
  for (const [password, why] of [
    ['1234567', /less than 8 characters/],
    ['myAlice2024', /holds the user name/],
    ['1111222211', /few different characters/],
  ] as const)
    assert.match(weaknessOf(password, 'alice') ?? '', why);
  for (const password of ['good enough', '12345678', 'ähnlichö'])
    assert.equal(weaknessOf(password, 'alice'), undefined);
});
