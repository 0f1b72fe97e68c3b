// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import fc from 'fast-check';
import type { Subject } from '../../dist/policy/subject.js';
import type { NaivePolicy, NaiveRule } from './naive.js';

const letter = fc.constantFrom('a', 'b', '', 'a', 'b');

function joined(
  levels: fc.Arbitrary<string>,
  first: fc.Arbitrary<string>,
  last: fc.Arbitrary<string>,
): fc.Arbitrary<string> {
  return fc
    .tuple(first, fc.array(levels, { maxLength: 2 }), fc.option(last, { nil: undefined }))
    .map(([head, middle, tail]) =>
      head === '#' ? head : [head, ...middle, ...(tail === undefined ? [] : [tail])].join('/'),
    )
    .filter((filter) => filter !== '');
}

/** Filters of up to four levels over a small alphabet. */
export const filter = joined(
  fc.oneof(letter, fc.constant('+')),
  fc.oneof(letter, fc.constantFrom('+', '#', '$s')),
  fc.oneof(letter, fc.constantFrom('+', '#')),
);

export const topic = joined(letter, fc.oneof(letter, fc.constant('$s')), letter);

const variable = fc.constantFrom('${username}', '${clientid}', 'a${username}', '${username}${clientid}');

/** Filters in which levels may hold variables. */
export const pattern = joined(
  fc.oneof(letter, fc.constant('+'), variable),
  fc.oneof(letter, fc.constantFrom('+', '#', '$s'), variable),
  fc.oneof(letter, fc.constantFrom('+', '#'), variable),
);

/** What a client may call itself, with everything that could give a pattern another meaning. */
const name = fc.constantFrom('a', 'b', 'ab', '', '+', '#', 'a/b', '$s', 'a\u0001', '*', '.*', 'a:b');

export const subject: fc.Arbitrary<Subject> = fc.record({
  username: fc.option(name, { nil: undefined }),
  clientId: name,
  method: fc.constant('password' as const),
  address: fc.constant('127.0.0.1'),
  listener: fc.constant('mqtts:8883'),
});

export const circumstances = fc.record({ qos: fc.constantFrom(0, 1, 2), retain: fc.boolean() });

const topicActions = fc.subarray(['publish', 'receive', 'subscribe'], { minLength: 1 });
const about = fc.constantFrom<NonNullable<NaiveRule['subject']>>({}, {}, { username: 'a' }, { group: 'some' });
const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });

function withEffect<Written>(written: fc.Arbitrary<Written & { actions: string[] }>): fc.Arbitrary<NaiveRule> {
  return fc
    .tuple(written, fc.constantFrom('allow', 'allow', 'deny'))
    .map(([{ actions, ...rule }, effect]) => ({ ...rule, [effect]: actions }));
}

export const rule: fc.Arbitrary<NaiveRule> = fc.oneof(
  {
    weight: 4,
    arbitrary: withEffect(
      fc.record({
        actions: topicActions,
        subject: about,
        topics: patterns,
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: withEffect(
      fc.record({
        actions: fc.constant(['publish']),
        subject: about,
        when: fc.constantFrom({ retain: true }, { retain: false, qos: 0 }),
        topics: patterns,
      }),
    ),
  },
  {
    weight: 1,
    arbitrary: withEffect(
      fc.record({
        actions: fc.constant(['publish', 'subscribe']),
        subject: about,
        when: fc.constantFrom({ qos: 1 }, { qos: 2 }),
        topics: patterns,
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: withEffect(
      fc.record({
        actions: fc.constant(['connect']),
        subject: about,
        clientids: fc.array(
          fc.constantFrom('*', 'a*', '${username}', '${username}:*', 'x-${username}', '*b', '${clientid}'),
          {
            minLength: 1,
            maxLength: 2,
          },
        ),
      }),
    ),
  },
);

export const policy: fc.Arbitrary<NaivePolicy> = fc.record({
  groups: fc.constantFrom({ some: ['a', 'ab'] }, { some: [] }),
  rules: fc.array(rule, { maxLength: 6 }),
});

/** Something that a client may ask for. */
export const request = fc.oneof(
  fc.record({ action: fc.constantFrom('publish' as const, 'receive' as const), target: topic }),
  fc.record({
    action: fc.constant('subscribe' as const),
    target: fc.oneof(
      filter,
      filter.map((inner) => `$share/g/${inner}`),
    ),
  }),
  fc.record({ action: fc.constant('connect' as const), target: fc.oneof(name, fc.constantFrom('a:x', 'x-a', 'aab')) }),
);
