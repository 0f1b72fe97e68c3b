import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitLines } from '../../dist/connection/lines.js';

async function lines(...chunks: string[]): Promise<string[]> {
  async function* source(): AsyncGenerator<Buffer> {
    for (const chunk of chunks) yield Buffer.from(chunk, 'latin1');
  }
  const found: string[] = [];
  for await (const line of splitLines(source())) found.push(line.toString('latin1'));
  return found;
}

test('lines end with LF or CRLF, and the last one needs no end', async () => {
  assert.deepEqual(await lines('a\nb\r\n\nc'), ['a', 'b', '', 'c']);
  assert.deepEqual(await lines('a\n'), ['a']);
  assert.deepEqual(await lines(''), []);
});

test('wherever the chunks are cut, the lines are the same', async () => {
  const text = 'one\r\ntwo\n\n\xff\xfe three\r\r\nfour';
  const whole = await lines(text);
  for (let cut = 0; cut <= text.length; cut++) {
    assert.deepEqual(await lines(text.slice(0, cut), text.slice(cut)), whole, `cut at ${cut}`);
  }
  assert.deepEqual(await lines(...text), whole);
});
