import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readUserList } from '../../dist/identity/user-list.js';

describe('A list of users and passwords', () => {
  it('takes what stands behind the first colon as it is', () => {
    const users = readUserList('# old\nalice:with:colons and #\r\nbob: \n', 'list');
    assert.deepEqual(
      [...users],
      [
        ['alice', 'with:colons and #'],
        ['bob', ' '],
      ],
    );
    assert.equal(readUserList('', 'list').size, 0);
  });

  for (const [lines, message] of [
    ['alice:one\n\nbob:two\n', 'list:2:1: a blank line'],
    ['alice:one\ngeheimnis\n', 'list:2:1: no colon between user name and password'],
    ['alice:geheimnis\nalice:two\n', 'list:2:1: the user alice is listed twice'],
    ['alice:\n', 'list:1:7: the password of alice is empty'],
    ['a/b:geheimnis\n', 'list:1:1: the user name "a/b" holds'],
  ] as const) {
    it(`is refused as a whole: ${message}`, () => {
      assert.throws(
        () => readUserList(lines, 'list'),
        (error) => String(error).includes(message) && !String(error).includes('geheimnis'),
      );
    });
  }
});
