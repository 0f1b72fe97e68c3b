import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { it } from 'node:test';
import { hash } from '@node-rs/argon2';
import { verifyApart } from '../../dist/identity/verify-apart.js';

const cheap = { memoryCost: 8, timeCost: 1, parallelism: 1 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it('checks of passwords do not mix up their answers, however many are under way', async () => {
  const hashes = await Promise.all(['a', 'b', 'c'].map((password) => hash(password, cheap)));
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => verifyApart(hashes[index % 3] ?? '', bytes('abc'.charAt((index * 7) % 4)))),
  );
  assert.deepEqual(
    answers,
    Array.from({ length: 8 }, (_, index) => 'abc'.charAt(index % 3) === 'abc'.charAt((index * 7) % 4)),
  );
  assert.equal(await verifyApart('no hash', bytes('a')), false);
});

it('checks of passwords have a low priority on Linux, but for urgent ones; the event loop keeps its own', {
  skip: process.platform !== 'linux' && 'needs Linux',
}, async () => {
  await verifyApart(await hash('a', cheap), bytes('a'));
  // The field behind the priority, 17 places behind the name in parentheses (proc(5)).
  const nice = (thread: string): number => {
    const stat = readFileSync(`/proc/self/task/${thread}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
  };
  const own = nice(String(process.pid));
  const threads = () => readdirSync('/proc/self/task').map(nice);
  const yielding = () => threads().filter((each) => each === Math.min(19, own + 10)).length;
  const before = yielding();
  assert.ok(before > 0, String(threads()));
  assert.equal(await verifyApart(await hash('b', cheap), bytes('b'), true), true);
  assert.equal(yielding(), before);
});
