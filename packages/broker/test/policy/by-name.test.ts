// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { byName } from '../../dist/policy/by-name.js';
import { Policy } from '../../dist/policy/compile.js';
import { readRules } from '../../dist/policy/read-rules.js';
import { circumstances, policy, subject, topic } from './arbitraries.js';

const nowhere = { address: '0.0.0.0', listener: '', tls: false };
const named = (username: string | undefined, clientId: string) => ({
  ...nowhere,
  username,
  clientId,
  method: username === undefined ? 'anonymous' : 'password',
});

/** What the names alone come to, of a policy as it is written. */
function asker(text: string, format: 'policy' | 'acl' = 'policy') {
  const judged = Policy.of(byName(readRules(text, 'policy.yaml', format)), 'deny');
  return (username: string | undefined, target: string, clientId = 'c', now = 0) =>
    judged.bind(named(username, clientId), now).decide('publish', target, { qos: 0, retain: true, payloadSize: 1 })
      .allowed;
}

describe('What a policy says of publishers by their names', () => {
  it('is no only where nobody of these names may publish, whatever else it shows', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        policy,
        fc.constantFrom('allow' as const, 'deny' as const),
        subject,
        topic,
        circumstances,
        fc.constantFrom(0, 480, 1_320),
        (written, fallback, client, target, packet, minute) => {
          const whole = Policy.of(readRules(JSON.stringify(written), 'policy.yaml', 'policy'), fallback);
          // Groups that are not listed are those that a proof can name.
          const groups = (client.groups ?? []).filter((name) => written.groups?.[name]?.length === 0);
          const { allowed } = whole.bind({ ...client, groups }, minute * 60_000).decide('publish', target, packet);
          const judged = Policy.of(byName(whole.text), fallback).bind(named(client.username, client.clientId));
          const stays = judged.decide('publish', target, packet).allowed;
          assert.ok(stays || !allowed);
          if (!stays) refused++;
        },
      ),
      { numRuns: 1_000 },
    );
    assert.ok(refused > 100);
  });

  it('is what it says of them where rules ask for nothing else', () => {
    const may = asker(`
groups: { staff: [anna], shift: [{ group: staff }, "b*"] }
rules:
  - { subject: { group: shift }, allow: publish, topics: "plant/#" }
  - { subject: { username: bert }, deny: publish, topics: "plant/secret" }
  - { allow: publish, topics: ["own/\${username}", "id/\${clientid}"] }
`);
    assert.deepEqual(
      [
        may('anna', 'plant/x'),
        may('bert', 'plant/x'),
        may('bert', 'plant/secret'),
        may('carl', 'plant/x'),
        may('carl', 'own/carl'),
        may('carl', 'own/anna'),
        may('carl', 'id/c'),
        may('carl', 'id/d'),
      ],
      [true, true, false, false, true, false, true, false],
    );
  });

  it('takes what else a rule asks for as given where it allows, and as not given where it denies', () => {
    const may = asker(`
groups: { proven: [{ cert: { cn: plant } }], tokens: [] }
rules:
  - { subject: { username: anna, address: 192.0.2.0/24 }, allow: publish, topics: a }
  - { subject: { username: anna, listener: "mqtt:*" }, deny: publish, topics: a }
  - { subject: { username: anna }, allow: publish, topics: b, when: { tls: true, hours: "08:00-09:00" } }
  - { subject: { username: anna }, deny: publish, topics: b, when: { hours: "10:00-11:00" } }
  - { allow: publish, topics: "tenants/\${claims.tenant}/#" }
  - { deny: publish, topics: "tenants/\${claims.banned}/#" }
  - { subject: { group: [proven, tokens] }, allow: publish, topics: c }
  - { subject: { group: proven }, deny: publish, topics: c }
`);
    assert.deepEqual(
      [
        may('anna', 'a'),
        may('bert', 'a'),
        may('anna', 'b'),
        may('bert', 'b'),
        may('bert', 'tenants/x/y'),
        may('bert', 'tenants'),
        may('bert', 'c'),
      ],
      [true, false, true, false, true, false, true],
    );
  });

  it("knows anonymous clients, whom Mosquitto's lists speak of", () => {
    const may = asker('topic write open/#\nuser anna\ntopic write annas/#\npattern write own/%u\n', 'acl');
    assert.deepEqual(
      [
        may(undefined, 'open/x'),
        may('anna', 'open/x'),
        may('anna', 'annas/x'),
        may(undefined, 'annas/x'),
        may('bert', 'own/bert'),
      ],
      [true, false, true, false, true],
    );
  });
});
