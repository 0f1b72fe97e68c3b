// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Subject } from '../../../dist/policy/facts.js';
import { parsePolicy } from '../../../dist/policy/parse.js';
import { explain, type Request } from '../../../dist/policy/review/explain.js';
import { circumstances, policy, request, subject } from '../arbitraries.js';

const pump: Subject = {
  username: 'pump-7',
  clientId: 'pump-7',
  method: 'password',
  address: '127.0.0.1',
  listener: 'mqtts:8883',
  tls: true,
};

const text = `
timezone: UTC
groups: { admins: [root] }
roles:
  device:
    - { allow: [publish, receive], topics: "devices/\${username}/#" }
rules:
  - { subject: { group: admins }, allow: publish, topics: "#" }
  - { allow: connect, clientids: "\${username}" }
  - { subject: { username: "pump-*" }, roles: device }
  - { subject: { username: "pump-*" }, allow: publish, topics: logs, when: { qos: 1, hours: "08:00-18:00" } }
  - { allow: subscribe, topics: "open/#" }
  - { deny: [publish, receive], topics: "devices/+/key" }
  - { deny: receive, topics: "open/+/secret" }
`;

function ask(action: Request['action'], target: string, client: Partial<Subject> = {}, qos = 0) {
  const compiled = parsePolicy(text, 'p.yaml');
  const { rule, allowed, near, notes } = explain(
    compiled,
    { ...pump, ...client },
    { action, target, circumstances: { qos, retain: false } },
    compiled.momentAt(9 * 60),
  );
  return {
    answer: `${allowed ? 'allowed' : 'denied'} by ${rule}`,
    needed: near.map((miss) => `${miss.rule}: ${miss.needed}`),
    notes,
  };
}

describe('The explanation of a decision', () => {
  it('names the rule, and the role by which it holds', () => {
    const { answer, needed } = ask('publish', 'devices/pump-7/x');
    assert.equal(answer, 'allowed by p.yaml:6 (role device, given at p.yaml:10)');
    assert.deepEqual(needed, []);
  });

  it('says what would have been needed, the least first', () => {
    assert.deepEqual(ask('publish', 'logs'), {
      answer: 'denied by default',
      needed: [
        'p.yaml:11: with QoS 1 and between 08:00-18:00',
        'p.yaml:8: group admins',
        'p.yaml:6 (role device, given at p.yaml:10): a topic within devices/pump-7/#',
      ],
      notes: [],
    });
    assert.deepEqual(ask('subscribe', 'devices/pump-7/x').needed, [
      'p.yaml:6 (role device, given at p.yaml:10): subscribe in it: it allows publish, receive',
      'p.yaml:12: a filter within open/#',
    ]);
    assert.deepEqual(ask('connect', 'pump-8').needed, ['p.yaml:9: a client ID such as ${username}']);
  });

  it('says that nothing outweighs a rule that denies', () => {
    const { answer, notes } = ask('publish', 'devices/pump-7/key');
    assert.equal(answer, 'denied by p.yaml:13');
    assert.deepEqual(notes, ['a rule that denies wins over every rule that allows']);
  });

  it('says what a subscription that is granted will not bring', () => {
    const { answer, notes } = ask('subscribe', '$share/g/open/#');
    assert.equal(answer, 'allowed by p.yaml:12');
    assert.deepEqual(notes, ['not delivered: open/+/secret (p.yaml:14)']);
  });

  it('says from which addresses it would be allowed', () => {
    const near = parsePolicy(
      'rules: [{ subject: { address: [10.0.0.0/8, "2001:db8::/32"], listener: "mqtt:1883" }, allow: publish, topics: a }]',
      'p.yaml',
    );
    const request = { action: 'publish', target: 'a', circumstances: { qos: 0, retain: false } } as const;
    assert.equal(
      explain(near, pump, request).near[0]?.needed,
      'listener mqtt:1883 and an address in 10.0.0.0/8 or 2001:db8::/32',
    );
  });

  it('says of which variable there are too many values', () => {
    const tenants = parsePolicy('rules: [{ allow: publish, topics: "${claims.tenant}/#" }]', 'p.yaml');
    const request = { action: 'publish', target: 't1/x', circumstances: { qos: 0, retain: false } } as const;
    const asked = (count: number) => {
      const tenant = Array.from({ length: count }, (_, index) => `t${index}`);
      const { allowed, notes } = explain(tenants, { ...pump, claims: { tenant } }, request);
      return [allowed, ...notes];
    };
    assert.deepEqual(asked(16), [true]);
    assert.deepEqual(asked(17), [
      false,
      '${claims.tenant} has 17 values, more than 16, so that p.yaml:1 matches nothing',
    ]);
  });

  it('says which value cannot be used', () => {
    const { notes } = ask('publish', 'devices/a/b/x', { username: 'pump-a/b' });
    assert.ok(notes.includes('the value of ${username} holds /, so that p.yaml:9 matches nothing'), notes.join('\n'));
  });

  it('says that the topics of the server are its own', () => {
    assert.equal(ask('publish', '$SYS/x', { username: 'root' }).answer, 'denied by reserved');
  });

  it('gives the answer of the policy', () => {
    fc.assert(
      fc.property(policy, subject, request, circumstances, (written, client, { action, target }, about) => {
        const compiled = parsePolicy(JSON.stringify(written), 'p.yaml');
        const now = 12 * 3_600_000;
        const asked = { action, target, circumstances: about };
        const { allowed } = compiled.bind(client, now).decide(action, target, about);
        assert.equal(explain(compiled, client, asked, now).allowed, allowed);
      }),
      { numRuns: 300 },
    );
  });
});
