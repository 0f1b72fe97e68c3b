// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Policy } from '../../../dist/policy/compile.js';
import { parsePolicy } from '../../../dist/policy/parse.js';
import { compare } from '../../../dist/policy/review/diff.js';
import { filter, topic } from '../arbitraries.js';

const noon = 12 * 3_600_000;

const policyOf = (rules: readonly object[], groups: object = {}): Policy =>
  parsePolicy(JSON.stringify({ groups, rules }), 'p.yaml');

function changes(before: object[], after: object[], groups: object = {}, groupsAfter = groups): string[] {
  return compare(policyOf(before, groups), policyOf(after, groupsAfter), noon).changes.map(
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

  const allow = (subject: object, more: object = {}) => rule('allow', 'x', { subject, ...more });
  const deny = (subject: object) => rule('deny', 'x', { subject });
  const when = (conditions: object) => allow({}, { when: conditions });
  const missed: readonly (readonly [title: string, before: object[], after: object[], told: string[]])[] = [
    [
      'the second of two user names',
      [allow({ username: ['alice', 'bob'] })],
      [allow({ username: 'alice' })],
      ['user name bob loses publish x'],
    ],
    [
      'the second of two methods',
      [allow({ method: ['password', 'token'] })],
      [allow({ method: 'password' })],
      ['method token loses publish x'],
    ],
    [
      'other addresses',
      [allow({ address: '10.0.0.0/8' })],
      [allow({ address: '2001:db8::/32' })],
      ['an address in 10.0.0.0/8 loses publish x', 'an address in 2001:db8::/32 gains publish x'],
    ],
    [
      'addresses around others',
      [allow({ address: '10.0.0.0/8' }), deny({ address: '10.0.0.0/16' })],
      [],
      ['an address in 10.0.0.0/8 loses publish x'],
    ],
    [
      'two patterns that overlap',
      [allow({ username: '*-a' }), deny({ username: 'pump-*' })],
      [allow({ username: '*-a' })],
      ['user name *-a and user name pump-* gains publish x'],
    ],
    [
      'two facts of one client',
      [allow({ username: 'alice' }), deny({ listener: 'mqtt:1883' })],
      [allow({ username: 'alice' })],
      ['user name alice and listener mqtt:1883 gains publish x'],
    ],
    [
      'two common names in one certificate',
      [allow({ cert: { cn: 'a' } }), deny({ cert: { cn: 'b' } })],
      [allow({ cert: { cn: 'a' } })],
      ['cert.cn a and cert.cn b gains publish x'],
    ],
    [
      'a longer payload',
      [when({ qos: 1, max_payload: 1000 })],
      [when({ qos: 1, max_payload: 2000 })],
      ['everybody gains publish x'],
    ],
    ['a seal', [when({ sealed: 'signature' })], [], ['everybody loses publish x']],
    ['an hour that is not now', [when({ hours: '23:00-01:00' })], [], ['everybody loses publish x']],
    ['values of a certificate', [rule('allow', 'a/${cert.cn}/#')], [], ['cert.cn * loses publish a/${cert.cn}/#']],
    [
      "a user's own topic",
      [rule('allow', 'a/${username}/#'), rule('deny', 'a/bob/key')],
      [rule('allow', 'a/${username}/#')],
      ['user name bob gains publish a/bob/key'],
    ],
    [
      'client IDs that two patterns have in common',
      [
        { allow: 'connect', clientids: '*-a' },
        { deny: 'connect', clientids: 'b-*' },
      ],
      [{ allow: 'connect', clientids: '*-a' }],
      ['everybody gains connect b-*-a'],
    ],
  ];
  for (const [title, before, after, told] of missed)
    it(`sees ${title}`, () => assert.deepEqual(changes(before, after), told));

  it('sees who left a group, of which a rule asks more', () => {
    const rules = [allow({ group: 'staff', address: '10.0.0.0/8' })];
    assert.deepEqual(changes(rules, rules, { staff: ['alice', 'bob'] }, { staff: ['alice'] }), [
      'user name bob and an address in 10.0.0.0/8 loses publish x',
    ]);
  });

  it('says so when it left some clients out', () => {
    const groups = Object.fromEntries(Array.from({ length: 70 }, (_, index) => [`group-${index}`, []]));
    const rules = Object.keys(groups).map((group) => allow({ group }));
    assert.equal(compare(policyOf(rules, groups), policyOf(rules, groups), noon).complete, false);
    const users = Array.from({ length: 200 }, (_, index) => allow({ username: `user-${index}` }));
    assert.equal(compare(policyOf(users), policyOf(users), noon).complete, true);
  });

  it('misses no client that differs', () => {
    const names = ['a', 'ab', 'b'];
    const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 });
    const texts = fc.uniqueArray(fc.constantFrom('a', 'ab', 'a*', '*b', '*'), { minLength: 1, maxLength: 2 });
    const written = fc.record({
      effect: fc.constantFrom('allow', 'allow', 'deny'),
      topics: fc.constantFrom('x', 'a/x', '${username}/x', '+/x', '${cert.cn}/x'),
      subject: fc.record({
        username: some(texts),
        group: some(fc.constantFrom('one', 'two')),
        cert: some(fc.record({ cn: texts })),
        address: some(fc.subarray(['10.0.0.0/8', '10.1.0.0/16', '::/0'], { minLength: 1 })),
      }),
      when: some(
        fc.constantFrom({ qos: 1 }, { retain: true }, { max_payload: 9 }, { sealed: 'mac' }, { hours: '08:00-09:00' }),
      ),
    });
    const grouped = fc.record({ one: fc.subarray(names), two: fc.constant([{ group: 'one' }, 'b']) });
    // One rule, or one member, tells them apart: with more, another change could hide one that is missed.
    const policies = fc
      .tuple(fc.array(written, { minLength: 1, maxLength: 3 }), grouped, fc.boolean())
      .map(([all, groups, alike]) => {
        const rules = all.map(({ effect, topics, ...more }) => rule(effect, topics, more));
        const fewer = alike ? rules : rules.slice(1);
        return [
          policyOf(rules, groups),
          policyOf(fewer, alike ? { ...groups, one: groups.one.slice(1) } : groups),
        ] as const;
      });
    const client = fc.record({
      username: fc.constantFrom(...names),
      clientId: fc.constant('z'),
      method: fc.constant('password'),
      listener: fc.constant('l'),
      groups: fc.subarray(['one', 'two']),
      certificate: some(fc.record({ cn: fc.subarray(names, { minLength: 1 }) })),
      address: fc.constantFrom('10.0.0.1', '10.1.0.1', '192.0.2.9', '2001:db8::9'),
    });
    const circumstances = fc.record({
      qos: fc.constantFrom(0, 1),
      retain: fc.boolean(),
      payloadSize: fc.constantFrom(9, 10),
      sealed: fc.constantFrom('none' as const, 'mac' as const),
    });
    const asked = fc.tuple(client, fc.constantFrom('x', 'a/x', 'ab/x'), circumstances, fc.constantFrom(8.5, 12));
    fc.assert(
      fc.property(policies, fc.array(asked, { minLength: 40, maxLength: 40 }), ([old, next], all) => {
        const differs = all.some(([subject, target, facts, hour]) => {
          const [was, is] = [old, next].map((one) => one.bind(subject, hour * 3_600_000));
          return was?.decide('publish', target, facts).allowed !== is?.decide('publish', target, facts).allowed;
        });
        if (differs) assert.notDeepEqual(compare(old, next, noon).changes, []);
      }),
      { numRuns: 200 },
    );
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
