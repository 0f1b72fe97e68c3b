import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shellWord } from '../../dist/output/shell-word.js';
import { formatTable } from '../../dist/output/table.js';
import { formatBytes, formatDuration } from '../../dist/output/units.js';

test('bytes are told in the largest unit that leaves at least one', () => {
  assert.deepEqual([0, 1, 1023, 1024, 1536, 5 * 1024 ** 2, 3 * 1024 ** 5].map(formatBytes), [
    ...['0 bytes', '1 bytes', '1023 bytes', '1.0 KiB', '1.5 KiB', '5.0 MiB', '3072.0 TiB'],
  ]);
});

test('durations leave out what is zero', () => {
  assert.deepEqual([0, 59.9, 60, 93_784, 86_400].map(formatDuration), ['0 s', '59 s', '1 min', '1 d 2 h 3 min', '1 d']);
});

test('words are quoted for a shell only where they need it', () => {
  assert.deepEqual(['a/b-c.d', 'a b', "it's", '', '$x'].map(shellWord), [
    'a/b-c.d',
    "'a b'",
    "'it'\\''s'",
    "''",
    "'$x'",
  ]);
});

test('columns line up, and cells cannot break them', () => {
  assert.equal(
    formatTable(
      ['A', 'B'],
      [
        ['long', 'x'],
        ['\n', 'y'],
      ],
    ),
    'A       B\nlong    x\n\\u000a  y',
  );
});
