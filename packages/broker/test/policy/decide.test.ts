// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Policy } from '../../dist/policy/compile.js';
import type { Circumstances } from '../../dist/policy/conditions.js';
import type { BoundPolicy } from '../../dist/policy/decide.js';
import type { Subject } from '../../dist/policy/facts.js';
import { filterIsSubset, topicMatches } from '../../dist/policy/filter.js';
import { parsePolicy } from '../../dist/policy/parse.js';
import { circumstances, filter, pattern, policy, request, rule, subject, topic } from './arbitraries.js';
import { type NaivePolicy, type NaiveRule, naiveDecide, shortTopics } from './naive.js';

const numRuns = 300;

/** JSON is YAML, so that what the properties make up goes through the real parser. */
function parse(written: NaivePolicy, fallback: 'allow' | 'deny' = 'deny'): Policy {
  return parsePolicy(JSON.stringify(written), 'policy.yaml', fallback);
}

function isAllowed(bound: BoundPolicy, { action, target }: Request, circumstances: Circumstances): boolean {
  if (action === 'connect') return bound.decide(action, target).allowed;
  return bound.decide(action, target, circumstances).allowed;
}

interface Request {
  readonly action: 'connect' | 'publish' | 'subscribe' | 'receive';
  readonly target: string;
}

const alice: Subject = {
  username: 'alice',
  clientId: 'alice:1',
  method: 'password',
  address: '192.0.2.7',
  listener: 'mqtts:8883',
};
const plain: Circumstances = { qos: 0, retain: false };

describe('a compiled policy', () => {
  it('agrees with the definition', () => {
    const fallback = fc.constantFrom('allow' as const, 'deny' as const);
    fc.assert(
      fc.property(
        policy,
        fallback,
        subject,
        request,
        circumstances,
        fc.constantFrom(0, 479, 480, 1_049, 1_050, 1_320),
        (policy, fallback, subject, { action, target }, circumstances, minute) => {
          const expected = naiveDecide(policy, fallback, subject, action, target, circumstances, minute);
          const bound = parse(policy, fallback).bind(subject, minute * 60_000);
          assert.equal(isAllowed(bound, { action, target }, circumstances), expected);
        },
      ),
      { numRuns: 800 },
    );
  });

  it('never allows more for a rule that denies', () => {
    const denying = rule.filter(({ deny }) => deny !== undefined);
    fc.assert(
      fc.property(
        policy,
        denying,
        subject,
        request,
        circumstances,
        (policy, added, subject, request, circumstances) => {
          const more: NaivePolicy = { ...policy, rules: [...policy.rules, added] };
          const before = isAllowed(parse(policy).bind(subject), request, circumstances);
          const after = isAllowed(parse(more).bind(subject), request, circumstances);
          assert.ok(before || !after);
        },
      ),
      { numRuns },
    );
  });

  it('never denies more for a rule that allows', () => {
    const allowing = rule.filter(({ allow }) => allow !== undefined);
    fc.assert(
      fc.property(
        policy,
        allowing,
        subject,
        request,
        circumstances,
        (policy, added, subject, request, circumstances) => {
          const more: NaivePolicy = { ...policy, rules: [added, ...policy.rules] };
          const before = isAllowed(parse(policy).bind(subject), request, circumstances);
          const after = isAllowed(parse(more).bind(subject), request, circumstances);
          assert.ok(after || !before);
        },
      ),
      { numRuns },
    );
  });

  it('gives the same answer in whatever order its rules are', () => {
    const shuffled = policy.chain((policy) =>
      fc
        .shuffledSubarray([...policy.rules], { minLength: policy.rules.length })
        .map((rules) => [policy, { ...policy, rules }] as const),
    );
    fc.assert(
      fc.property(shuffled, subject, request, circumstances, ([policy, other], subject, request, circumstances) => {
        const answers = [policy, other].map((written) =>
          isAllowed(parse(written).bind(subject), request, circumstances),
        );
        assert.equal(answers[0], answers[1]);
      }),
      { numRuns },
    );
  });

  it('never widens a filter by the value of a variable', () => {
    fc.assert(
      fc.property(pattern, subject, (pattern, subject) => {
        const widest = pattern
          .split('/')
          .map((level) => (level.includes('${') ? '+' : level))
          .join('/');
        const bound = parse({ groups: {}, rules: [publishTo(pattern)] }).bind(subject);
        const reference = parse({ groups: {}, rules: [publishTo(widest)] }).bind(subject);
        for (const topic of shortTopics) {
          const allowed = bound.decide('publish', topic, plain).allowed;
          assert.ok(!allowed || reference.decide('publish', topic, plain).allowed, topic);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('grants by one filter what lies within that filter, no more and no less', () => {
    fc.assert(
      fc.property(filter, filter, topic, (granted, requested, topic) => {
        const actions = ['publish', 'subscribe', 'receive'];
        const bound = parse({ groups: {}, rules: [{ allow: actions, topics: [granted] }] }).bind(alice);
        assert.equal(bound.decide('subscribe', requested, plain).allowed, filterIsSubset(requested, granted));
        assert.equal(bound.decide('publish', topic, plain).allowed, topicMatches(granted, topic));
        assert.equal(bound.decide('receive', topic).allowed, topicMatches(granted, topic));
      }),
      { numRuns: 1_500 },
    );
  });

  it('lets a value lead into a $ tree only below a first level that names it', () => {
    const topics = ['a/${username}', '${username}/a', '$of-${username}/a'];
    const odd = parse({ groups: {}, rules: [{ allow: ['publish'], topics }] }).bind({ ...alice, username: '$s' });
    const publish = (topic: string) => odd.decide('publish', topic, plain).allowed;
    assert.deepEqual(['a/$s', '$s/a', '$of-$s/a'].map(publish), [true, false, true]);
  });

  it('never matches a client ID by a pattern with a variable that has no value', () => {
    const clientids = ['${username}', '${username}*', '*${username}', 'a*-${username}'];
    const bound = parse({ groups: {}, rules: [{ allow: ['connect'], clientids }] }).bind({
      ...alice,
      username: undefined,
    });
    for (const id of ['', 'a', 'a-', 'undefined', '${username}'])
      assert.equal(bound.decide('connect', id).allowed, false);
  });

  it('denies a client ID that one rule denies, whatever others allow', () => {
    const allow: NaiveRule = { allow: ['connect'], clientids: ['*'] };
    const deny: NaiveRule = { deny: ['connect'], clientids: ['root*'] };
    for (const rules of [
      [allow, deny],
      [deny, allow],
    ]) {
      const bound = parse({ groups: {}, rules }).bind(alice);
      assert.deepEqual(
        ['alice', 'root', 'rooted'].map((id) => bound.decide('connect', id).allowed),
        [true, false, false],
      );
    }
  });

  it('keeps clients apart that different rules are about', () => {
    const policy = parse({
      groups: {},
      rules: ['alice', 'bob'].map((username) => ({ ...publishTo(username), subject: { username } })),
    });
    for (const username of ['alice', 'bob', 'alice', 'carol']) {
      const bound = policy.bind({ ...alice, username });
      const allowed = ['alice', 'bob', 'carol'].filter((topic) => bound.decide('publish', topic, plain).allowed);
      assert.deepEqual(allowed, username === 'carol' ? [] : [username]);
    }
  });

  it('says which rule decided, by its line', () => {
    const text = 'rules:\n- allow: publish\n  topics: a/#\n- deny: publish\n  topics: a/secret\n';
    const bound = parsePolicy(text, 'policy.yaml').bind(alice);
    assert.deepEqual(bound.decide('publish', 'a/b', plain).rule?.place, { file: 'policy.yaml', line: 2, column: 3 });
    assert.deepEqual(bound.decide('publish', 'a/secret', plain).rule?.place, {
      file: 'policy.yaml',
      line: 4,
      column: 3,
    });
    assert.deepEqual(bound.decide('publish', 'b', plain), { allowed: false, rule: undefined, reserved: false });
  });

  it('lets a wide subscription through and holds back what is denied within it at delivery', () => {
    const bound = parse({
      groups: {},
      rules: [
        { allow: ['subscribe', 'receive'], topics: ['#'] },
        { deny: ['subscribe', 'receive'], topics: ['secret/#'] },
      ],
    }).bind(alice);
    assert.equal(bound.decide('subscribe', '#', plain).allowed, true);
    assert.equal(bound.decide('subscribe', 'secret/+', plain).allowed, false);
    assert.equal(bound.decide('receive', 'open').allowed, true);
    assert.equal(bound.decide('receive', 'secret/plan').allowed, false);
  });

  it('judges a shared subscription by the filter in it', () => {
    const bound = parse({ groups: {}, rules: [{ allow: ['subscribe'], topics: ['open/#'] }] }).bind(alice);
    assert.equal(bound.decide('subscribe', '$share/g/open/#', plain).allowed, true);
    assert.equal(bound.decide('subscribe', '$share/g/secret/#', plain).allowed, false);
    assert.equal(bound.decide('subscribe', '$share/open/#', plain).allowed, false);
  });

  it('knows what matters besides action and topic', () => {
    const rules: NaiveRule[] = [publishTo('a')];
    const asks = (policy: Policy, username = 'alice') => {
      const { asksFlags, asksPayload } = policy.bind({ ...alice, username });
      return [asksFlags, asksPayload];
    };
    assert.deepEqual(asks(parse({ groups: {}, rules })), [false, false]);
    const conditional = { ...publishTo('b'), subject: { username: 'alice' } };
    const flags = parse({ groups: {}, rules: [...rules, { ...conditional, when: { qos: 2 } }] });
    assert.deepEqual(asks(flags), [true, false]);
    assert.deepEqual(asks(flags, 'bob'), [false, false]);
    assert.deepEqual(asks(parse({ groups: {}, rules: [{ ...conditional, when: { max_payload: 2 } }] })), [false, true]);
  });

  it('refuses what asks for a seal as long as nothing is known of seals', () => {
    for (const sealed of ['none', 'signature', 'mac', 'encrypted']) {
      const allowing = parse({ groups: {}, rules: [{ ...publishTo('a'), when: { sealed } }] }).bind(alice);
      assert.equal(allowing.decide('publish', 'a', plain).allowed, false);
      const denying = { deny: ['publish'], topics: ['a'], when: { sealed } };
      const denied = parse({ groups: {}, rules: [publishTo('a'), denying] }).bind(alice);
      assert.equal(denied.decide('publish', 'a', plain).allowed, false);
    }
  });

  it("lets nobody write what is the server's own, whatever it allows", () => {
    const bound = parse({ groups: {}, rules: [{ allow: ['publish'], topics: ['$SYS/#', '$own/#'] }] }, 'allow').bind(
      alice,
    );
    for (const topic of ['$SYS', '$SYS/a', '$share/a/b'])
      assert.deepEqual(bound.decide('publish', topic, plain), { allowed: false, rule: undefined, reserved: true });
    assert.equal(bound.decide('publish', '$own/a', plain).allowed, true);
    assert.equal(bound.decide('publish', '$SYSTEM/a', plain).allowed, true);
  });

  it('tells of values that cannot stand in a pattern, with the rule that they keep from matching', () => {
    const text = 'rules:\n- allow: publish\n  topics: "a/${clientid}/${username}"\n';
    const bound = parsePolicy(text, 'policy.yaml').bind({ ...alice, clientId: 'a/b', username: undefined });
    const [told, ...more] = bound.unusableValues();
    assert.equal(told?.problem, 'the value of ${clientid} holds /');
    assert.equal(told?.rule.place.line, 2);
    assert.deepEqual(more, []);
  });

  it('takes no part in a variable that has more values than any client needs', () => {
    const several = (count: number) =>
      parse({ groups: {}, rules: [publishTo('${claims.tenant}')] })
        .bind({ ...alice, claims: { tenant: Array.from({ length: count }, (_, index) => `t${index}`) } })
        .decide('publish', 't0', plain).allowed;
    assert.deepEqual([several(16), several(17)], [true, false]);
  });

  it('says by which role a rule came to hold', () => {
    const text =
      'roles:\n  reader:\n  - allow: receive\n    topics: a\nrules:\n- subject: { username: alice }\n  roles: reader\n';
    const { rule } = parsePolicy(text, 'policy.yaml').bind(alice).decide('receive', 'a');
    assert.equal(rule?.place.line, 3);
    assert.deepEqual(rule?.given, { role: 'reader', place: { file: 'policy.yaml', line: 6, column: 3 } });
  });
});

describe('the subject of a rule', () => {
  const table: [subject: string, client: Partial<Subject>, isAbout: boolean][] = [
    ['{}', {}, true],
    ['{ username: alice }', {}, true],
    ['{ username: [bob, "al*"] }', {}, true],
    ['{ username: "*" }', { username: undefined }, false],
    ['{ username: alice, method: certificate }', {}, false],
    ['{ method: [certificate, password] }', {}, true],
    ['{ clientid: "*:1" }', {}, true],
    ['{ clientid: "alice:1*:1" }', {}, false],
    ['{ group: friends }', {}, true],
    ['{ group: friends }', { username: undefined }, false],
    ['{ address: 192.0.2.0/24 }', {}, true],
    ['{ address: 192.0.2.0/24 }', { address: '::ffff:192.0.2.9' }, true],
    ['{ address: [192.0.2.0/24, 2001:db8::/32] }', { address: '2001:db8::1' }, true],
    ['{ address: 192.0.2.0/24 }', { address: '192.0.3.1' }, false],
    ['{ address: 192.0.2.0/24 }', { address: 'fe80::1%eth0' }, false],
    ['{ address: 192.0.2.0/24 }', { address: '' }, false],
    ['{ listener: "mqtts:*" }', {}, true],
    ['{ listener: "*:1883" }', {}, false],
    ['{ group: friends }', { username: undefined, groups: ['friends'] }, true],
    ['{ group: insiders }', {}, true],
    ['{ group: insiders }', { username: 'bob' }, false],
    ['{ group: insiders, clientid: bob }', {}, false],
    ['{ group: strangers }', { username: 'bob' }, true],
    ['{ cert: { cn: "al*" } }', { certificate: { cn: 'alice' } }, true],
    ['{ cert: { cn: "al*" } }', {}, false],
    ['{ cert: { san_dns: a.example.com } }', { certificate: { san_dns: ['b.example.com', 'a.example.com'] } }, true],
    ['{ cert: { fingerprint: "AB:CD" } }', { certificate: { fingerprint: 'abcd' } }, true],
    ['{ claims: { tenant: [acme, "eu-*"] } }', { claims: { tenant: ['x', 'eu-1'] } }, true],
    ['{ claims: { tenant: acme } }', { claims: { tenant: { acme: true } } }, false],
    ['{ claims: { realm.level: "3" } }', { claims: { realm: { level: 3 } } }, true],
    ['{ claims: { realm.level: "3" } }', { claims: { 'realm.level': 3 } }, true],
    ['{ claims: { constructor: "*" } }', { claims: {} }, false],
    ['{ claims: { toString.name: "*" } }', { claims: {} }, false],
    ['{ scope: [write, read] }', { scopes: ['read'] }, true],
    ['{ scope: read }', {}, false],
    ['{ scope: read }', { claims: { scope: 'write read' } }, true],
    ['{ method: token }', { method: 'token' }, true],
  ];
  for (const [written, client, isAbout] of table) {
    it(`${written} ${isAbout ? 'is' : 'is not'} about ${JSON.stringify({ ...alice, ...client })}`, () => {
      const groups =
        'friends: [alice], insiders: { group: friends, listener: "mqtts:*" }, strangers: { username: "b*" }';
      const text = `groups: { ${groups} }\nrules: [{ subject: ${written}, allow: publish, topics: t }]`;
      const bound = parsePolicy(text, 'policy.yaml').bind({ ...alice, ...client });
      assert.equal(bound.decide('publish', 't', plain).allowed, isAbout);
    });
  }
});

function publishTo(topic: string): NaiveRule {
  return { allow: ['publish'], topics: [topic] };
}
