import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertDeviceName } from '@moat/pki';
import { usernameProblem } from '../../dist/identity/username.js';

describe('a user name', () => {
  for (const name of ['a', 'sensor-1', 'Zoë', '温度计', 'two words', '*', 'a$b', 'x'.repeat(64), '😀'.repeat(64)]) {
    it(`may be ${name}`, () => assert.equal(usernameProblem(name), undefined));
  }

  const wrong = [
    '',
    'a:b',
    'a+',
    '#',
    'a/b',
    '$SYS',
    ' a',
    'a ',
    'a\n',
    'a\0',
    '\u0085',
    'a\u200bb',
    '\u202eadmin',
    'a\u2028b',
    '\ud800',
    '\ufeffa',
    'x'.repeat(65),
    '😀'.repeat(65),
  ];
  for (const name of wrong) {
    it(`may not be ${JSON.stringify(name)}`, () => assert.notEqual(usernameProblem(name), undefined));
  }

  it('may be whatever a device may be called', () => {
    for (let code = 0; code <= 0x10ffff; code++) {
      const name = `a${String.fromCodePoint(code)}b`;
      if (usernameProblem(name) !== undefined)
        assert.throws(() => assertDeviceName(name), /device name/, code.toString(16));
    }
  });
});
