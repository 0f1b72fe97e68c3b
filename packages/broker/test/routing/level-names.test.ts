import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sharedName } from '../../dist/routing/level-names.js';

describe('The names of levels', () => {
  it('stay what they are, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 50 }), (names) => {
        assert.deepEqual(names.map(sharedName), names);
      }),
    );
  });
});
