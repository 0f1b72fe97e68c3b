import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@moat/testkit';
import { PUBLIC, SECRET, writeFileAtomic } from '../dist/files.js';

test('a reader finds the old text or the new one, and never a part', async (t) => {
  const path = join(await temporaryDirectory(t), 'ca.crl');
  const texts = ['a', 'b'].map((letter) => letter.repeat(1 << 20));
  await writeFile(path, texts[0] ?? '');
  const seen = new Set<string>();
  let writing = true;
  const writer = (async () => {
    for (let turn = 1; turn <= 20 || seen.size < 2; turn++) await writeFileAtomic(path, texts[turn % 2] ?? '', PUBLIC);
  })().finally(() => {
    writing = false;
  });
  while (writing) {
    const text = await readFile(path, 'utf8');
    assert.ok(texts.includes(text));
    seen.add(text);
  }
  await writer;
});

test('a secret is readable by its owner alone, also where a file with a wider mode was', async (t) => {
  const path = join(await temporaryDirectory(t), 'ca.key');
  await writeFile(path, 'old', { mode: 0o666 });
  await writeFileAtomic(path, 'new', SECRET);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(await readFile(path, 'utf8'), 'new');
});

test('a write that fails leaves everything as it was', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'ca.key');
  await mkdir(path);
  await assert.rejects(writeFileAtomic(path, 'secret', SECRET), { code: 'EISDIR' });
  assert.deepEqual(await readdir(directory), ['ca.key']);
});
