import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from '../../dist/output/progress.js';

function recording(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 };
  return { written, progress: new Progress(stream as ConstructorParameters<typeof Progress>[0]) };
}

test('a line of progress replaces the one before, whatever their lengths, and goes away', () => {
  const { written, progress } = recording(true);
  progress.show('100 rows');
  progress.show('9 rows');
  progress.clear();
  progress.clear();
  assert.deepEqual(written, ['\r100 rows', '\r9 rows  ', '\r      \r']);
});

test('nothing is shown where nobody watches', () => {
  const { written, progress } = recording(false);
  progress.show('100 rows');
  progress.clear();
  assert.deepEqual(written, []);
});
