// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { OperatorErrors } from '../../dist/errors.js';
import { policyPortions, readPolicy } from '../../dist/policy/parse.js';
import { readApart } from '../../dist/policy/read-apart.js';
import type { PolicyText } from '../../dist/policy/rule.js';
import { splitRules } from '../../dist/policy/split-rules.js';

const file = 'policy.yaml';
const head = 'timezone: Europe/Berlin\ngroups:\n  staff: [anna, { clientid: "b*" }]\n';
const tail = 'roles:\n  reader:\n    - allow: receive\n      topics: a/#\n';

/** Rules in the ways in which they can be written, with what a line by itself could be mistaken for. */
const shapes = [
  '- { subject: { username: u }, allow: [publish, subscribe], topics: "t/${clientid}/#" }',
  '- deny: publish\n  topics:\n    - a/b\n    - c/+/d',
  '-\n  allow: receive\n  topics: x',
  '- allow: connect\n  clientids: >-\n    - no: rule\n     rules:\n    y',
  '- allow: publish\n  topics: "two\n    - lines"',
  '- { allow: publish,\n    topics: [a,\n    b] } # - not one',
  '- subject: { group: staff }\n\n# a comment at the margin\n  roles: reader',
  '- allow: [publish]\n  topics: s\n  when: { qos: [0, 1], retain: false, hours: 08:00-17:30 }',
];

/** Long enough to be read in parts. */
function written(chosen: readonly string[], indentation: string, end: string): string {
  const rules: string[] = [];
  for (let size = 0; size < 80_000; ) {
    const rule = chosen[rules.length % chosen.length] as string;
    rules.push(rule.replace(/^(?=[^#\n])/gm, indentation));
    size += rule.length;
  }
  return `${head}rules: # all\n${rules.join('\n')}\n${end}`;
}

/** The same text in a form that is not split. */
const whole = (text: string): string => text.replace(/^rules:/m, '"rules":');

const lengths = (text: string): (number | 'again')[] =>
  [...policyPortions(text, file)].map((portion) => (portion === 'again' ? portion : portion.length));

function mistakesOf(text: string): string[] {
  try {
    readPolicy(text, file);
  } catch (error) {
    if (error instanceof OperatorErrors) return error.errors.map(String);
    throw error;
  }
  return assert.fail('it was accepted');
}

describe('A long policy', () => {
  it('reads the same in parts as it does as a whole, to the place of each rule', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...shapes), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('', '  ', '     '),
        fc.constantFrom('', tail, `# end\n${tail}`),
        fc.boolean(),
        (chosen, indentation, end, carriage) => {
          const lines = written([...chosen, shapes[0] as string], indentation, end);
          if (end === '' && lines.includes('roles:')) return; // there is no such role
          const text = carriage ? lines.replaceAll('\n', '\r\n') : lines;
          const portions = lengths(text);
          assert.ok(portions.length > 1 && !portions.includes('again'));
          assert.deepEqual(lengths(whole(text)), [portions.reduce<number>((sum, each) => sum + Number(each), 0)]);
          assert.deepEqual(readPolicy(text, file), readPolicy(whole(text), file));
        },
      ),
      { numRuns: 10 },
    );
  });

  it('has its mistakes told as those of the whole', () => {
    for (const wrong of [
      '- { alow: publish, topics: a }',
      '- { allow: publish }',
      '- [',
      '- { roles: redaer }',
      '- *no',
    ]) {
      const [first, ...others] = written(shapes, '  ', tail).split(/(?<=^ {2}- deny: publish)/m);
      const text = `${first}\n    topics: q\n  ${wrong}\n  - deny: publish${others.join('')}`;
      assert.notEqual(splitRules(text), undefined);
      assert.ok(mistakesOf(text).length > 0);
      assert.deepEqual(mistakesOf(text), mistakesOf(whole(text)));
    }
  });

  it('is read as a whole where its parts hang together, or its lines do not show them', () => {
    const rules = written(shapes.slice(0, 3), '', '');
    const anchored = rules
      .replace('- deny: publish\n', '- deny: &what publish\n')
      .concat('- { deny: *what, topics: last }\n');
    assert.ok(lengths(anchored).includes('again'));
    assert.deepEqual(readPolicy(anchored, file), readPolicy(whole(anchored), file));
    assert.equal(splitRules(`%YAML 1.1\n---\n${rules}`), undefined);
    assert.equal(splitRules('rules: [{ allow: publish, topics: a }]\n'), undefined);
    assert.equal(splitRules('rules:\n\t- allow: publish\n'), undefined);
  });

  it('is the same when another thread has read it, from bytes of whatever memory', async () => {
    const text = written(shapes, '  ', tail);
    const plain = (policy: PolicyText): unknown => JSON.parse(JSON.stringify(policy, sets));
    const expected = plain(readPolicy(text, file));
    for (const bytes of [Buffer.from(text), Buffer.from(`x${text}`).subarray(1)])
      assert.deepEqual(plain(await readApart(bytes, file, 'policy')), expected);
  });
});

function sets(_key: string, value: unknown): unknown {
  return value instanceof Set ? [...value] : value;
}
