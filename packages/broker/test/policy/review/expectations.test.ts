// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OperatorErrors } from '../../../dist/errors.js';
import { parsePolicy } from '../../../dist/policy/parse.js';
import { isMet, readExpectations } from '../../../dist/policy/review/expectations.js';

const policy = parsePolicy(
  `
rules:
- { allow: connect, clientids: "\${username}:*" }
- { allow: publish, topics: "devices/\${username}/#", when: { qos: 1, max_payload: 10 } }
- { allow: publish, topics: hourly, when: { hours: "08:00-09:00" } }
- { subject: { cert: { cn: "pump-*" } }, allow: subscribe, topics: "open/#" }
- { subject: { method: anonymous }, allow: publish, topics: free }
- { allow: publish, topics: sealed, when: { sealed: [mac] } }
- { deny: publish, topics: secret, when: { sealed: [none] } }
- { allow: publish, topics: secret }
`,
  'p.yaml',
);

/** Of each expectation, whether it is met. */
function outcomes(text: string): boolean[] {
  return readExpectations(text, 'e.yaml').expectations.map((expectation) => isMet(policy, expectation));
}

describe('Expectations of a policy', () => {
  const table: [title: string, subject: string, allowed: string[], denied: string[]][] = [
    [
      'of a topic, with the QoS and the size of the payload',
      '{ username: a }',
      ['{ publish: devices/a/x, qos: 1 }', '{ publish: devices/a/x, qos: 1, payload: 10 }'],
      ['publish: devices/a/x', '{ publish: devices/a/x, qos: 1, payload: 11 }', '{ publish: devices/b/x, qos: 1 }'],
    ],
    ['of a client ID', '{ username: a }', ['connect: "a:1"'], ['connect: a', 'connect: "b:1"']],
    [
      'of a certificate',
      '{ username: a, cert: { cn: pump-1 } }',
      ['subscribe: open/x'],
      ['subscribe: "#"', 'receive: open/x', 'publish: free'],
    ],
    ['of who has no name', '{}', ['publish: free'], ['connect: ""', 'connect: "undefined:1"']],
    [
      'of a seal, of which nothing is known unless it is written',
      '{ username: a }',
      ['{ publish: sealed, sealed: mac }', '{ publish: secret, sealed: mac }'],
      ['publish: sealed', '{ publish: sealed, sealed: none }', 'publish: secret', '{ publish: secret, sealed: none }'],
    ],
  ];
  for (const [title, subject, allowed, denied] of table)
    it(`are met, or not, ${title}`, () => {
      const written = (allow: string[], deny: string[]) =>
        `tests:\n- subject: ${subject}\n  allow: [${allow.map(item).join()}]\n  deny: [${deny.map(item).join()}]`;
      assert.deepEqual(new Set(outcomes(written(allowed, denied))), new Set([true]));
      assert.deepEqual(new Set(outcomes(written(denied, allowed))), new Set([false]));
    });

  it('are judged at the time of day that they name', () => {
    const at = (time: string) => outcomes(`tests: [{ at: "${time}", allow: [{ publish: hourly }] }]`)[0];
    assert.deepEqual(['07:59', '08:00', '08:59', '09:00'].map(at), [false, true, true, false]);
  });

  const mistakes: [title: string, text: string, expected: RegExp][] = [
    [
      'a time that is none',
      'tests: [{ at: "24:00", deny: [{ publish: a }] }]',
      /^e\.yaml:1:15: 24:00 is no time of day/,
    ],
    ['no action', 'tests: [{ deny: [{ qos: 1 }] }]', /^e\.yaml:1:18: an expectation has one of connect/],
    ['two actions', 'tests: [{ deny: [{ publish: a, receive: a }] }]', /^e\.yaml:1:18: an expectation has one of/],
    ['a word that there is not', 'tests: [{ denied: [] }]', /unknown key denied/],
    ['a QoS that there is not', 'tests: [{ deny: [{ publish: a, qos: 3 }] }]', /^e\.yaml:1:37/],
    ['no tests', 'policy: p.yaml', /tests/],
    [
      'a test of nothing',
      'tests: [{ subject: { username: a }, allow: [] }]',
      /^e\.yaml:1:9: this test expects nothing/,
    ],
  ];
  for (const [title, text, expected] of mistakes)
    it(`are refused with ${title}`, () => {
      assert.throws(
        () => readExpectations(text, 'e.yaml'),
        (error) => error instanceof OperatorErrors && expected.test(String(error.errors[0])),
      );
    });
});

function item(text: string): string {
  return text.startsWith('{') ? text : `{ ${text} }`;
}
