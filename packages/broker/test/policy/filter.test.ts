import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { filterIsSubset, filterProblem, intersection, topicMatches } from '../../dist/policy/filter.js';
import { filter, topic } from './arbitraries.js';
import { naiveIsSubset, naiveMatches, shortTopics } from './naive.js';

describe('a topic filter', () => {
  const table: [filter: string, topic: string, matches: boolean][] = [
    ['sport/tennis/player1/#', 'sport/tennis/player1', true],
    ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
    ['sport/#', 'sport', true],
    ['#', 'a/b', true],
    ['sport/tennis/+', 'sport/tennis/player1', true],
    ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
    ['sport/+', 'sport', false],
    ['sport/+', 'sport/', true],
    ['+/+', '/finance', true],
    ['/+', '/finance', true],
    ['+', '/finance', false],
    ['#', '$SYS/uptime', false],
    ['+/uptime', '$SYS/uptime', false],
    ['$SYS/#', '$SYS/uptime', true],
    ['$SYS/+', '$SYS/uptime', true],
    ['a/+', 'a/$b', true],
    ['Accounts', 'ACCOUNTS', false],
  ];
  for (const [filter, topic, matches] of table) {
    it(`${filter} ${matches ? 'matches' : 'does not match'} ${topic} [MQTT-4.7.1-2] [MQTT-4.7.2-1]`, () => {
      assert.equal(topicMatches(filter, topic), matches);
    });
  }

  it('matches what the expression written from the standard matches', () => {
    fc.assert(
      fc.property(filter, topic, (filter, topic) => topicMatches(filter, topic) === naiveMatches(filter, topic)),
    );
  });

  const wrong = ['', 'sport/tennis#', 'sport/tennis/#/ranking', 'sport+', 'a/#b', '#/', 'a\0', 'a\ud800'];
  for (const text of wrong) {
    it(`is not well-formed as ${JSON.stringify(text)} [MQTT-4.7.1-1]`, () =>
      assert.notEqual(filterProblem(text), undefined));
  }

  it('is well-formed with wildcards alone in their levels', () => {
    for (const text of ['#', '+', '+/#', '/', 'a//b', '$SYS/+/x/#', ' ']) assert.equal(filterProblem(text), undefined);
  });
});

describe('a filter asked for', () => {
  it('is a subset of the one granted exactly when every topic of it is granted', () => {
    fc.assert(
      fc.property(filter, filter, (requested, granted) => {
        assert.equal(filterIsSubset(requested, granted), naiveIsSubset(requested, granted));
      }),
      { numRuns: 1_000 },
    );
  });

  const table: [requested: string, granted: string, isSubset: boolean][] = [
    ['#', 'devices/+', false],
    ['devices/+', 'devices/#', true],
    ['devices', 'devices/#', true],
    ['devices/#', 'devices/+/#', false],
    ['+/#', '#', true],
    ['#', '+/#', true],
    ['$SYS/#', '#', false],
    ['a/+/c', 'a/b/c', false],
  ];
  for (const [requested, granted, isSubset] of table) {
    it(`${requested} ${isSubset ? 'lies' : 'does not lie'} within ${granted}`, () => {
      assert.equal(filterIsSubset(requested, granted), isSubset);
    });
  }
});

describe('what two filters have in common', () => {
  it('is what both match, and nothing else', () => {
    fc.assert(
      fc.property(filter, filter, (one, other) => {
        const common = intersection(one, other);
        for (const topic of shortTopics) {
          const expected = naiveMatches(one, topic) && naiveMatches(other, topic);
          assert.equal(
            common !== undefined && naiveMatches(common, topic),
            expected,
            `${one} and ${other} at ${topic}`,
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
