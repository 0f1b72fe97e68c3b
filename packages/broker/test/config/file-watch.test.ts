import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory, waitFor } from '@moat/testkit';
import { FileWatch } from '../../dist/config/file-watch.js';

test('a file that is written, replaced, removed or made is noticed, and so is one in a directory, or behind a link', async (t) => {
  const directory = await temporaryDirectory(t);
  const path = (name: string): string => join(directory, name);
  await writeFile(path('file'), 'a');
  await mkdir(path('lists'));
  await mkdir(path('v1'));
  await mkdir(path('v2'));
  for (const version of ['v1', 'v2']) await writeFile(path(`${version}/linked`), 'a');
  await symlink('v1', path('current'));
  let changes = 0;
  const watched = ['file', 'missing', 'lists', 'current/linked'].map(path);
  const watch = new FileWatch(
    () => watched,
    async () => {
      changes++;
    },
    { interval: 20 },
  );
  await watch.start();
  t.after(() => watch.stop());
  const steps: readonly (() => Promise<unknown>)[] = [
    () => appendFile(path('file'), 'b'),
    () => writeFile(path('draft'), 'ab').then(() => rename(path('draft'), path('file'))),
    () => writeFile(path('missing'), ''),
    () => rm(path('missing')),
    () => writeFile(path('lists/one'), 'a'),
    () => appendFile(path('lists/one'), 'b'),
    () => rm(path('lists/one')),
    () => symlink('v2', path('next')).then(() => rename(path('next'), path('current'))),
  ];
  for (const [index, step] of steps.entries()) {
    await step();
    await waitFor(() => changes === index + 1);
  }
  await writeFile(path('unwatched'), 'a');
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal(changes, steps.length);
});

test('files are looked at one after the other, so that messages go on between them', async (t) => {
  const directory = await temporaryDirectory(t);
  await mkdir(join(directory, 'lists'));
  const names = Array.from({ length: 20 }, (_, index) => `${index}`);
  for (const name of names) await writeFile(join(directory, 'lists', name), name);
  const files = [...names.map((name) => join(directory, 'lists', name)), join(directory, 'lists')];
  const watch = new FileWatch(
    () => files,
    async () => {},
  );
  let isOver = false;
  const look = watch.look().finally(() => {
    isOver = true;
  });
  let most = 0;
  while (!isOver) {
    const underWay = process.getActiveResourcesInfo().filter((kind) => kind === 'FSReqPromise');
    most = Math.max(most, underWay.length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await look).split('\n').length, 2 * names.length + 1);
  assert.equal(most, 1);
});
