import assert from 'node:assert/strict';
import { chown, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs, temporaryDirectory, withoutRoom } from '@moat/testkit';
import { FILES } from '../dist/authority-files.js';
import { PUBLIC, SECRET, writeAuthorityFile, writeFileAtomic } from '../dist/files.js';
import { Invites } from '../dist/invites.js';

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

test('where there is no room a file stays as it was, and nothing beside it', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'bans.json');
  await writeFileAtomic(path, 'old', SECRET);
  await withoutRoom(() => assert.rejects(writeFileAtomic(path, 'new', SECRET), { code: 'EFBIG' }));
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual(await readdir(directory), ['bans.json']);
});

const nobody = 65_534;

test('what root replaces stays with whom it belonged to, where that is asked for', needs('root'), async (t) => {
  const path = join(await temporaryDirectory(t), 'passwords');
  await writeFileAtomic(path, 'one', SECRET, path);
  assert.equal((await stat(path)).uid, 0);
  await chown(path, nobody, nobody);
  await writeFileAtomic(path, 'two', SECRET, path);
  const { uid, gid, mode } = await stat(path);
  assert.deepEqual([uid, gid, mode & 0o777], [nobody, nobody, 0o600]);
});

test('a file of an authority belongs to whom its directory belongs to, whoever writes it', needs('root'), async (t) => {
  const directory = await temporaryDirectory(t);
  const path = join(directory, 'ocsp.key');
  await chown(directory, nobody, nobody);
  for (const turn of ['new', 'again']) {
    await writeAuthorityFile(path, turn, SECRET);
    const { uid, gid, mode } = await stat(path);
    assert.deepEqual([uid, gid, mode & 0o777], [nobody, nobody, 0o600]);
  }
});

test(
  'what root writes elsewhere stays with root, whoever made the directory and what was there',
  needs('root'),
  async (t) => {
    const directory = await temporaryDirectory(t);
    const path = join(directory, 'client.key');
    await writeFile(path, '');
    for (const theirs of [directory, path]) await chown(theirs, nobody, nobody);
    await writeFileAtomic(path, 'secret', SECRET);
    assert.equal((await stat(path)).uid, 0);
  },
);

test('the first invite of an authority can be read by whom its directory belongs to', needs('root'), async (t) => {
  const directory = await temporaryDirectory(t);
  await chown(directory, nobody, nobody);
  const terms = { names: 'pump-7', count: 1, days: 1, expires: new Date(Date.now() + 60_000) };
  await new Invites(directory).withToken(terms);
  const { uid, mode } = await stat(join(directory, FILES.invites));
  assert.deepEqual([uid, mode & 0o777], [nobody, 0o600]);
});

test('an invite gives no file of root away that has another name in the directory', needs('root'), async (t) => {
  const [ours, theirs] = [await temporaryDirectory(t), await temporaryDirectory(t)];
  const file = join(ours, 'of-root');
  await writeFile(file, '', { mode: 0o600 });
  await chown(theirs, nobody, nobody);
  await symlink(file, join(theirs, FILES.invites));
  const terms = { names: 'pump-7', count: 1, days: 1, expires: new Date(Date.now() + 60_000) };
  await new Invites(theirs).withToken(terms);
  assert.equal((await stat(file)).uid, 0);
});
