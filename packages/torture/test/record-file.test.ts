import assert from 'node:assert/strict';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '@moat/testkit';
import { ClientState } from '../dist/client/client-state.js';
import type { ClientEvent } from '../dist/record/event.js';
import { RecordFile, readRecord } from '../dist/record/record-file.js';

test('a line that a killed process did not end did not happen, and the next begins in its place', async (t) => {
  const path = join(await temporaryDirectory(t), 'record');
  const first = RecordFile.open<ClientEvent>(path);
  first.write({ e: 'done', n: 1 });
  first.close();
  await appendFile(path, '{"at":1,"e":"do');
  const second = RecordFile.open<ClientEvent>(path);
  second.write({ e: 'done', n: 2 });
  second.close();
  const numbers = readRecord<ClientEvent>(path).map((event) => (event.e === 'done' ? event.n : 0));
  assert.deepEqual(numbers, [1, 2]);
});

test('a client knows by its record what is under way in both directions', () => {
  const state = new ClientState();
  const sending = { e: 'sending', topic: 't', retain: false, empty: false } as const;
  const events: ClientEvent[] = [
    { e: 'connecting', clean: false, expiry: 60 },
    { e: 'connected', present: true },
    { ...sending, n: 1, qos: 1, id: 1 },
    { ...sending, n: 2, qos: 2, id: 2 },
    { ...sending, n: 3, qos: 2, id: 3 },
    { e: 'received', n: 2 },
    { e: 'done', n: 1 },
    { e: 'arrived', from: 'p', n: 1, topic: 't', qos: 2, retain: false, id: 7 },
    { e: 'arrived', from: 'p', n: 2, topic: 't', qos: 2, retain: false, id: 8 },
    { e: 'released', id: 7 },
    { e: 'subscribing', filter: 'a/#' },
    { e: 'subscribed', filter: 'a/#' },
    { e: 'unsubscribing', filter: 'a/#' },
  ];
  for (const event of events) state.apply(event);
  assert.deepEqual(
    [...state.underWay.values()].map(({ n, received }) => [n, received]),
    [
      [2, true],
      [3, false],
    ],
  );
  assert.deepEqual([...state.unreleased], [8]);
  assert.equal(state.filters.get('a/#'), 'unsure');
  assert.equal(state.nextId(), 4);
  state.apply({ e: 'connected', present: false });
  assert.equal(state.underWay.size + state.unreleased.size + state.filters.size, 0);
});
