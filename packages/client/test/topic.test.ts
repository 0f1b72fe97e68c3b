import assert from 'node:assert/strict';
import { test } from 'node:test';
import { topicMatches } from '@moat/client';

const matching = [
  ['a/b', 'a/b'],
  ['a/+', 'a/b'],
  ['a/+', 'a/'],
  ['+/+', '/b'],
  ['#', 'a/b/c'],
  ['a/#', 'a'],
  ['a/#', 'a/b/c'],
  ['+/#', 'a'],
  ['$SYS/#', '$SYS/broker/version'],
  ['$share/group/a/+', 'a/b'],
  ['$share/group//b', '/b'],
] as const;

const different = [
  ['a/b', 'a'],
  ['a/b', 'a/b/c'],
  ['a/+', 'a'],
  ['a/+', 'a/b/c'],
  ['+', '/b'],
  ['a/b/#', 'a'],
  ['#', '$SYS/broker'],
  ['+/broker', '$SYS/broker'],
  ['A', 'a'],
] as const;

for (const [filter, topic] of matching) {
  test(`${filter} matches ${topic}`, () => assert.equal(topicMatches(filter, topic), true));
}
for (const [filter, topic] of different) {
  test(`${filter} does not match ${topic}`, () => assert.equal(topicMatches(filter, topic), false));
}
