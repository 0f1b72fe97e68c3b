// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultPolicy } from '../../../dist/policy/default-policy.js';
import { parsePolicy } from '../../../dist/policy/parse.js';
import { review } from '../../../dist/policy/review/check.js';

function findingsIn(...rules: readonly string[]): string[] {
  const text = ['groups: { staff: [alice] }', 'rules:', ...rules.map((rule) => `- ${rule}`)].join('\n');
  return review(parsePolicy(text, 'p.yaml')).map(({ place, message }) => `${place.line - 2}: ${message}`);
}

const connect = '{ allow: connect, clientids: ["${username}:*"] }';
const tree = '{ allow: [publish, subscribe, receive], topics: "devices/${username}/#" }';

describe('The review of a policy', () => {
  it('has nothing against the default policy', () => {
    assert.deepEqual(review(parsePolicy(defaultPolicy, 'p.yaml')), []);
  });

  const table: [title: string, rules: string[], findings: (string | RegExp)[]][] = [
    [
      'a rule that a deny outweighs',
      ['{ subject: { username: alice }, allow: publish, topics: a/b }', '{ deny: [publish, receive], topics: "a/#" }'],
      ['1: this rule never decides: p.yaml:4 denies all that it allows'],
    ],
    [
      'no rule that a deny outweighs in part',
      [
        '{ subject: { username: alice }, allow: publish, topics: [a/b, c] }',
        '{ deny: publish, topics: "a/#" }',
        '{ deny: publish, topics: "c", when: { retain: true } }',
        '{ subject: { username: "a*" }, deny: publish, topics: "b" }',
        '{ subject: { group: staff }, allow: publish, topics: "b" }',
      ],
      [],
    ],
    [
      'a variable that a deny takes in',
      ['{ allow: publish, topics: "a/${username}" }', '{ deny: publish, topics: a/+ }'],
      [/^1: this rule never decides/],
    ],
    [
      'a rule for a user that cannot be',
      ['{ subject: { username: "a:b" }, allow: publish, topics: t }'],
      [/^1: this rule never applies: there is no user name "a:b"/],
    ],
    [
      'a rule for anonymous clients that asks for a name',
      [
        '{ subject: { method: anonymous }, allow: publish, topics: "a/${username}" }',
        '{ subject: { method: anonymous, username: "*" }, allow: publish, topics: a }',
      ],
      [/^1: .*an anonymous client has no \$\{username\}/, /^2: .*an anonymous client has no user name/],
    ],
    [
      'a rule that lets publish to the topics of the server',
      ['{ allow: publish, topics: "$SYS/#" }', '{ allow: receive, topics: "$SYS/#" }'],
      [/^1: .*nobody can publish to \$SYS/],
    ],
    [
      'a device that reaches into the trees of others',
      [connect, tree, '{ allow: receive, topics: "devices/+/status" }'],
      ["3: devices/+/status reaches into the trees of other clients, of which devices/${username}/# is each one's own"],
    ],
    ['a device that has shared topics besides', [connect, tree, '{ allow: receive, topics: "broadcast/#" }'], []],
    [
      'those who read the trees of all',
      [connect, tree, '{ subject: { group: staff }, allow: receive, topics: "devices/#" }'],
      [],
    ],
    [
      'a tree by a client ID that anybody may take',
      ['{ allow: connect, clientids: "*" }', '{ allow: publish, topics: "devices/${clientid}/#" }'],
      ['2: ${clientid} is what the client calls itself: p.yaml:3 lets it take the client ID of another'],
    ],
    [
      'a tree by a client ID that is bound to the user',
      [connect, '{ allow: publish, topics: "devices/${clientid}/#" }'],
      [],
    ],
  ];
  for (const [title, rules, expected] of table) {
    it(`finds ${title}`, () => {
      const findings = findingsIn(...rules);
      assert.equal(findings.length, expected.length, findings.join('\n'));
      for (const [index, wanted] of expected.entries()) {
        if (typeof wanted === 'string') assert.equal(findings[index], wanted);
        else assert.match(findings[index] ?? '', wanted);
      }
    });
  }

  it('finds roles that contradict whom they are given to', () => {
    const text = `
roles: { device: [{ subject: { username: bob }, allow: publish, topics: t }] }
rules: [{ subject: { username: alice }, roles: device }, { subject: { username: "b*" }, roles: device }]`;
    const [only, ...more] = review(parsePolicy(text, 'p.yaml'));
    assert.match(only?.message ?? '', /nobody has both user name alice and user name bob/);
    assert.equal(more.length, 0);
  });

  it('knows that a certificate may have two common names, and that no name begins in two ways', () => {
    const findings = (own: string, given: string) =>
      review(
        parsePolicy(
          `
roles: { device: [{ subject: ${own}, allow: publish, topics: t }] }
rules: [{ subject: ${given}, roles: device }]`,
          'p.yaml',
        ),
      ).map(({ message }) => message);
    assert.deepEqual(findings('{ cert: { cn: a } }', '{ cert: { cn: b } }'), []);
    assert.deepEqual(findings('{ username: "*-b" }', '{ username: "a-*" }'), []);
    assert.match(findings('{ username: "a-*" }', '{ username: "b-*" }').join(), /nobody has both/);
  });
});
