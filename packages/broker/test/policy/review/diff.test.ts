// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parsePolicy } from '../../../dist/policy/parse.js';
import { compare } from '../../../dist/policy/review/diff.js';
import { filter, topic } from '../arbitraries.js';

const noon = 12 * 3_600_000;

function changes(before: object[], after: object[], groups: object = {}): string[] {
  const policies = [before, after].map((rules) => parsePolicy(JSON.stringify({ groups, rules }), 'p.yaml'));
  const [old, next] = policies;
  assert.ok(old && next);
  return compare(old, next, noon).changes.map(
    ({ who, kind, action, targets }) => `${who} ${kind} ${action} ${targets.join(', ')}`,
  );
}

const rule = (effect: string, topics: string, more: object = {}) => ({ [effect]: 'publish', topics, ...more });

describe('The comparison of two policies', () => {
  it('finds none between texts that mean the same', () => {
    const tree = rule('allow', 'a/${username}/#');
    const split = [rule('allow', 'a/${username}'), rule('allow', 'a/${username}/+/#')];
    assert.deepEqual(changes([tree, rule('allow', 'a/b', { subject: { username: 'b' } })], split), []);
  });

  it('tells of what everybody gains once, and of what one loses besides', () => {
    const before = [rule('allow', 'x', { subject: { username: 'alice' } })];
    const after = [rule('allow', 'devices/${username}/#')];
    assert.deepEqual(changes(before, after), [
      'everybody gains publish devices/${username}/#',
      'user name alice loses publish x',
      'user name alice gains publish devices/alice/#',
    ]);
  });

  it('sees a deny within what is allowed, and a group that grows', () => {
    const staff = { subject: { group: 'staff' } };
    assert.deepEqual(
      changes([rule('allow', '#', staff)], [rule('allow', '#', staff), rule('deny', 'a/+/key')], { staff: [] }),
      ['group staff loses publish a/+/key'],
    );
    assert.deepEqual(changes([rule('allow', 'a', staff)], [rule('allow', 'a', staff)], { staff: ['bob'] }), []);
  });

  it('sees what lies deeper than any filter is long', () => {
    assert.deepEqual(changes([rule('allow', '+')], [rule('allow', '#')]), ['everybody gains publish #']);
    assert.deepEqual(changes([rule('allow', 'a/+')], [rule('allow', 'a/+/#')]), ['everybody gains publish a/+/#']);
  });

  it('sees conditions, and client IDs', () => {
    assert.deepEqual(changes([rule('allow', 'a')], [rule('allow', 'a', { when: { qos: 2 } })]), [
      'everybody loses publish a',
    ]);
    const connect = (clientids: string) => ({ allow: 'connect', clientids });
    assert.deepEqual(changes([connect('${username}')], [connect('*')]), ['everybody gains connect *']);
  });

  it('misses no topic that differs', () => {
    const rules = fc.array(fc.tuple(fc.constantFrom('allow', 'allow', 'deny'), filter), { maxLength: 4 });
    fc.assert(
      fc.property(rules, rules, topic, (one, other, asked) => {
        const policies = [one, other].map((written) =>
          parsePolicy(JSON.stringify({ rules: written.map(([effect, topics]) => rule(effect, topics)) }), 'p.yaml'),
        );
        const [old, next] = policies;
        assert.ok(old && next);
        const client = { username: 'z', clientId: 'z', method: 'password', address: '', listener: '' };
        const answers = policies.map((policy) => policy.bind(client).decide('publish', asked).allowed);
        if (answers[0] !== answers[1]) assert.notDeepEqual(compare(old, next, noon).changes, []);
      }),
      { numRuns: 400 },
    );
  });
});
