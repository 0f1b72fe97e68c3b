import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prettyLine } from '../../dist/log/pretty.js';
import { styleFor } from '../../dist/output/style.js';

const plain = styleFor({});

test('a line of the log is time, level, message and fields', () => {
  const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
  const line = JSON.stringify({
    level: 'info',
    time,
    clientId: 'pump-7',
    reason: 'bad password',
    port: 1,
    msg: 'refused',
  });
  assert.equal(prettyLine(line, plain), '03:04:05 info  refused clientId=pump-7 reason="bad password" port=1');
});

test('what clients sent cannot command the terminal or begin a new line', () => {
  const line = JSON.stringify({ level: 'warn', time: 0, clientId: '\u001b[2J\n', username: 'a\u009bb', msg: 'x' });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none is the point
  assert.doesNotMatch(prettyLine(line, plain), /[\u0000-\u001f\u007f-\u009f]/);
});

test('colours are for terminals, and not where NO_COLOR is set', () => {
  assert.equal(styleFor({ isTTY: true }, {})('red', 'x'), '\u001b[31mx\u001b[39m');
  assert.equal(styleFor({ isTTY: true }, { NO_COLOR: '1' })('red', 'x'), 'x');
  assert.equal(styleFor({ isTTY: false }, {})('red', 'x'), 'x');
});
