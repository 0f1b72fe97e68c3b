import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosedError, type Message } from '@moat/client';
import { Subscription } from '../dist/subscription.js';

const message = (topic: string): Message => ({
  ...{ topic, payload: Buffer.alloc(0), qos: 0, retain: false, duplicate: false, properties: {} },
});

function subscription(onMessage?: (message: Message) => void) {
  const told = { drained: 0, left: 0 };
  const owner = { drained: () => void told.drained++, leave: async () => void told.left++ };
  return { told, messages: new Subscription(['a/+', 'b'], owner, onMessage) };
}

test('messages are taken by filter, and read in their order by whoever waits or comes later', async () => {
  const { messages } = subscription();
  const reader = messages[Symbol.asyncIterator]();
  const waiting = [reader.next(), reader.next()];
  assert.deepEqual(
    ['a/1', 'c', 'b', 'a/b/c', 'a/2'].map((topic) => messages.offer(message(topic))),
    [true, false, true, false, true],
  );
  const read = [...(await Promise.all(waiting)), await reader.next()];
  assert.deepEqual(
    read.map(({ value }) => value?.topic),
    ['a/1', 'b', 'a/2'],
  );
});

test('a loop ends when the subscription is left, once; what was queued is read before', async () => {
  const { messages, told } = subscription();
  messages.offer(message('b'));
  await messages.unsubscribe();
  await messages.unsubscribe();
  assert.equal(told.left, 1);
  assert.equal(messages.offer(message('b')), false);
  const topics: string[] = [];
  for await (const { topic } of messages) topics.push(topic);
  assert.deepEqual(topics, ['b']);
});

test('all that wait, and whoever reads afterwards, are told why the connection ended', async () => {
  const { messages } = subscription();
  const reader = messages[Symbol.asyncIterator]();
  const waiting = [reader.next(), reader.next()];
  messages.end(new ClosedError('lost'));
  for (const one of [...waiting, reader.next()]) await assert.rejects(one, /lost/);
});

test('whoever waits when it is left is told that nothing comes', async () => {
  const { messages } = subscription();
  const waiting = messages[Symbol.asyncIterator]().next();
  await messages.unsubscribe();
  assert.deepEqual(await waiting, { done: true, value: undefined });
});

test('a subscription with a callback is not iterated over', async () => {
  const topics: string[] = [];
  const { messages } = subscription(({ topic }) => void topics.push(topic));
  await assert.rejects(messages[Symbol.asyncIterator]().next(), /has a callback/);
  messages.offer(message('b'));
  assert.deepEqual(topics, ['b']);
});

test('a thousand messages that nobody has read are full, and one that is read makes room', async () => {
  const { messages, told } = subscription();
  for (let count = 0; count < 1_000; count++) messages.offer(message('b'));
  assert.ok(messages.isFull);
  await messages[Symbol.asyncIterator]().next();
  assert.deepEqual([messages.isFull, told.drained], [false, 1]);
});
