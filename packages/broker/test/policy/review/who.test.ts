// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePolicy } from '../../../dist/policy/parse.js';
import { whoMay } from '../../../dist/policy/review/who.js';

const policy = parsePolicy(
  `
groups: { staff: [alice], guests: [] }
rules:
- { allow: publish, topics: ["devices/\${username}/#", "devices/\${cert.cn}/x-\${clientid}"] }
- { subject: { group: staff }, allow: publish, topics: "#", when: { qos: 1 } }
- { subject: { group: staff }, deny: publish, topics: "devices/+/key" }
- { subject: { username: mallory }, deny: publish, topics: "devices/#" }
- { allow: publish, topics: "+/\${username}" }
`,
  'p.yaml',
);

const who = (topic: string) =>
  whoMay(policy, 'publish', topic).map(({ who, rule, conditions, except }) => [who, rule, ...conditions, ...except]);

describe('Who may publish to a topic', () => {
  it('is told by the values that variables would need, by groups, and by those who are denied', () => {
    const except = 'user name mallory (p.yaml:7)';
    assert.deepEqual(who('devices/pump-7/x-y'), [
      ['user name pump-7', 'p.yaml:4', except],
      ['cert.cn pump-7 and client ID y', 'p.yaml:4', except],
      ['group staff', 'p.yaml:5', 'with QoS 1', except],
    ]);
  });

  it('leaves out those whom a deny leaves nothing', () => {
    assert.deepEqual(
      who('devices/pump-7/key').map(([one]) => one),
      ['user name pump-7'],
    );
  });

  it('is nobody where no rule speaks, and never somebody by a tree that begins with $', () => {
    assert.deepEqual(who('$own/alice'), []);
  });

  it('is nobody where the topic is the own one of the server, whatever a rule says', () => {
    const open = parsePolicy('rules: [{ allow: [publish, receive], topics: "$SYS/#" }]', 'p.yaml', 'allow');
    for (const topic of ['$SYS/broker', '$share/a/b']) assert.deepEqual(whoMay(open, 'publish', topic), []);
    assert.equal(whoMay(open, 'receive', '$SYS/broker')[0]?.who, 'everybody');
  });

  it('is everybody by default where that allows', () => {
    const open = parsePolicy('rules: [{ subject: { username: bob }, deny: receive, topics: a }]', 'p.yaml', 'allow');
    assert.deepEqual(whoMay(open, 'receive', 'a'), [
      { action: 'receive', who: 'everybody', rule: 'default', conditions: [], except: ['user name bob (p.yaml:1)'] },
    ]);
  });
});
