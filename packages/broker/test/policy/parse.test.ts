// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OperatorErrors } from '../../dist/errors.js';
import { parsePolicy } from '../../dist/policy/parse.js';

function mistakesIn(text: string): string[] {
  try {
    parsePolicy(text, 'policy.yaml');
  } catch (error) {
    assert.ok(error instanceof OperatorErrors);
    assert.equal(error.exitCode, 2);
    for (const { code } of error.errors) assert.equal(code, 'policy.invalid');
    return error.errors.map(String);
  }
  return assert.fail('the policy was accepted');
}

describe('reading a policy', () => {
  for (const text of ['', '# nothing\n', '{}', 'rules: []']) {
    it(`takes ${JSON.stringify(text)} for a policy that says nothing, so that all is denied`, () => {
      const bound = parsePolicy(text, 'policy.yaml').bind({
        username: 'admin',
        clientId: 'admin',
        method: 'password',
        address: '127.0.0.1',
        listener: 'mqtt:1883',
      });
      assert.equal(bound.decide('connect', 'admin').allowed, false);
      assert.equal(bound.decide('publish', 'a', { qos: 0, retain: false }).allowed, false);
    });
  }

  const table: [title: string, text: string, mistakes: string[]][] = [
    ['text that is not YAML', 'rules:\n  - [', ['2:6']],
    ['a key given twice', 'rules: []\nrules: []', ['2:1: Map keys must be unique']],
    ['a list in place of a map', '- allow: publish', ['1:1: the file must be a map of keys and values']],
    ['an unknown key', 'rule: []', ['1:1: unknown key rule (did you mean rules?)']],
    [
      'unknown keys and words in a rule, all at once',
      'rules:\n- alow: publish\n  topic: a\n- allow: [recieve]\n  topics: a',
      [
        '2:3: unknown key alow in rules[0] (did you mean allow?)',
        '3:3: unknown key topic in rules[0] (did you mean topics?)',
        '4:11: rules[1].allow[0] must be one of connect, publish, subscribe, receive, not "recieve" (did you mean receive?)',
      ],
    ],
    [
      'a rule without effect',
      'rules:\n- topics: a',
      ['2:3: a rule must have either allow or deny', '2:11: topics without'],
    ],
    [
      'a rule with both effects',
      'rules:\n- allow: publish\n  deny: publish\n  topics: a',
      ['2:3: a rule must have either'],
    ],
    ['no action', 'rules:\n- allow: []\n  topics: a', ['2:10: rules[0].allow must hold at least 1 entry']],
    [
      'an action without its object',
      'rules:\n- allow: [connect, publish]',
      ['2:3: this rule needs topics', '2:3: a rule on connect'],
    ],
    [
      'an object without its action',
      'rules:\n- allow: publish\n  topics: a\n  clientids: x',
      ['4:14: clientids without connect'],
    ],
    [
      'a filter that is none',
      'rules:\n- allow: publish\n  topics: [a, b#]',
      ['3:15: the topic filter "b#" has a level "b#"'],
    ],
    [
      'a shared subscription',
      'rules:\n- allow: subscribe\n  topics: $share/g/a',
      ['3:11: a rule is about the filter in'],
    ],
    [
      'an unknown variable',
      'rules:\n- allow: publish\n  topics: ["a/${user}"]',
      ['3:12: there is no variable ${user} (did you mean ${username}?)'],
    ],
    [
      'an open variable',
      'rules:\n- allow: publish\n  topics: ["a/${username"]',
      ['3:12: "a/${username" has a ${ without its }'],
    ],
    [
      'a variable beside a wildcard',
      'rules:\n- allow: publish\n  topics: ["${username}+"]',
      ['3:12: the topic filter'],
    ],
    ['two stars', 'rules:\n- allow: connect\n  clientids: "*a*"', ['3:14: "*a*" has more than one *']],
    [
      'an unknown group',
      'groups: {admins: []}\nrules:\n- subject: {group: admin}\n  allow: publish\n  topics: a',
      ['3:20: there is no group admin (did you mean admins?)'],
    ],
    [
      'an address that is none',
      'rules:\n- subject: {address: [10.0.0.0/33]}\n  allow: publish\n  topics: a',
      ['2:23: 10.0.0.0/33 is neither'],
    ],
    [
      'a variable in a subject',
      'rules:\n- subject: {username: "${clientid}"}\n  allow: publish\n  topics: a',
      ['2:23: variables have no place'],
    ],
    [
      'a condition on what is not known',
      'rules:\n- allow: subscribe\n  topics: a\n  when: {retain: true}',
      ['4:18: retain is not known of subscribe'],
    ],
    [
      'a condition on a delivery, which is judged by its topic alone',
      'rules:\n- deny: [publish, receive]\n  topics: a\n  when: {qos: 1}',
      ['4:15: qos is not known of receive (write rules of their own for the other actions)'],
    ],
    [
      'a condition on connect',
      'rules:\n- allow: connect\n  clientids: a\n  when: {qos: 1}',
      ['4:15: qos is not known of connect'],
    ],
    [
      'a QoS that is none',
      'rules:\n- allow: publish\n  topics: a\n  when: {qos: 3}',
      ['4:15: rules[0].when.qos must be one of 0, 1, 2, not 3'],
    ],
    [
      'a rule with an effect and roles',
      'roles: {r: []}\nrules:\n- allow: publish\n  roles: r\n  topics: a',
      ['3:3: a rule must have either allow or deny, or roles', '5:11: topics beside roles'],
    ],
    [
      'a role that there is not',
      'roles: {reader: []}\nrules:\n- roles: [raeder]',
      ['3:11: there is no role raeder (did you mean reader?)'],
    ],
    [
      'a role that is like no other',
      'rules:\n- roles: reader',
      ['2:10: there is no role reader (write its rules under roles)'],
    ],
    [
      'a group that is like no other',
      'rules:\n- subject: {group: admin}\n  allow: publish\n  topics: a',
      ['2:20: there is no group admin (list its members under groups, or write admin: [] there'],
    ],
    [
      'two asterisks in a subject',
      'rules:\n- subject: {username: [a, "*b*"], cert: {cn: "**"}}\n  allow: publish\n  topics: a',
      ['2:27: "*b*" has more than one *', '2:46: "**" has more than one *'],
    ],
    [
      'roles that give each other',
      'roles:\n  a: [{roles: b}]\n  b: [{roles: a}]\nrules: [{roles: a}]',
      ['2:15: the role a gives itself', '3:15: the role b gives itself'],
    ],
    ['groups within each other', 'groups:\n  a: {group: b}\n  b: {group: a}', ['3:6: the group b is within itself']],
    [
      'an unknown group in a group',
      'groups:\n  staff: []\n  a: {group: stuff}',
      ['3:6: there is no group stuff (did you mean staff?)'],
    ],
    [
      'a variable of several values twice',
      'rules:\n- allow: publish\n  topics: "${claims.t}/${claims.t}"',
      ['3:11: ${claims.t} stands twice'],
    ],
    [
      'a claim whose name is none in a topic',
      'rules:\n- allow: publish\n  topics: "a/${claims.}"',
      ['3:11: there is no variable ${claims.}'],
    ],
    [
      'a part of the day that is none',
      'rules:\n- allow: publish\n  topics: a\n  when: {hours: ["8-17", "25:00-26:00", "08:00-08:00"]}',
      ['4:18: "8-17" is no part of a day', '4:26: "25:00-26:00" is no', '4:41: "08:00-08:00" is no'],
    ],
    ['a time zone that is none', 'timezone: Mars/Base', ['1:11: there is no time zone Mars/Base']],
    [
      'a payload that is none',
      'rules:\n- allow: publish\n  topics: a\n  when: {min_payload: 2, max_payload: 1}',
      ['4:23: no payload has at least 2 and at most 1 bytes'],
    ],
    [
      'a condition on the payload of a delivery',
      'rules:\n- allow: receive\n  topics: a\n  when: {sealed: mac}',
      ['4:18: sealed is not known of receive'],
    ],
    ['roles without end', endless(), ['1:8: the roles amount to more than 1000000 rules']],
    ['a bomb of aliases', bomb(), ['1:1: Excessive alias count']],
  ];
  for (const [title, text, expected] of table) {
    it(`refuses ${title}, and says where`, () => {
      const mistakes = mistakesIn(text);
      assert.equal(mistakes.length, expected.length, mistakes.join('\n'));
      for (const [index, mistake] of mistakes.entries()) {
        assert.ok(mistake.startsWith(`policy.yaml:${expected[index]}`), `${mistake} is not ${expected[index]}`);
      }
    });
  }
});

/** Each role gives the next one twice. */
function endless(): string {
  const roles = Array.from({ length: 30 }, (_, index) => `r${index}: [{roles: [r${index + 1}, r${index + 1}]}]`);
  return `roles: {${[...roles, 'r30: []'].join(', ')}}\nrules: [{roles: r0}]`;
}

function bomb(): string {
  const line = (index: number) =>
    `l${index}: &l${index} [${Array(9)
      .fill(`*l${index - 1}`)
      .join(', ')}]`;
  return ['l0: &l0 [x, x]', ...[1, 2, 3, 4, 5, 6].map(line)].join('\n');
}
