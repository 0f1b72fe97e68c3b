import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchesGlob } from '../../dist/glob.js';

/** From the definition, without regard to time. */
function naive(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const [first, ...rest] = pattern;
  const tail = rest.join('');
  if (first === '*') return naive(tail, text) || (text !== '' && naive(pattern, text.slice(1)));
  return text !== '' && (first === '?' || first === text[0]) && naive(tail, text.slice(1));
}

describe('A glob', () => {
  it('matches what its definition says', () => {
    const text = (...letters: string[]) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 8 });
    fc.assert(
      fc.property(text('a', 'b', '*', '?'), text('a', 'b'), (pattern, each) => {
        assert.equal(matchesGlob(pattern, each), naive(pattern, each));
      }),
      { numRuns: 3_000 },
    );
  });

  it('takes characters of regular expressions for themselves', () => {
    assert.equal(matchesGlob('a.b(c)', 'a.b(c)'), true);
    assert.equal(matchesGlob('a.b', 'axb'), false);
  });

  it('comes to an end soon, whatever it is matched with', () => {
    assert.equal(matchesGlob(`${'*a'.repeat(100)}b`, 'a'.repeat(20_000)), false);
  });
});
