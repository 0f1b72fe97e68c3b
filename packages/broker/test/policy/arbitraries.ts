// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import fc from 'fast-check';
import type { Circumstances } from '../../dist/policy/conditions.js';
import type { Subject } from '../../dist/policy/facts.js';
import type { NaiveAbout, NaivePolicy, NaiveRule } from './naive.js';

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

const variable = fc.constantFrom(
  '${username}',
  '${clientid}',
  'a${username}',
  '${username}${clientid}',
  '${cert.cn}',
  '${cert.san_uri}',
  '${claims.tenant}',
);

/** A variable with several values may stand in a filter only once. */
function isWritten(pattern: string): boolean {
  return ['${cert.san_uri}', '${cert.cn}', '${claims.tenant}'].every((name) => pattern.split(name).length <= 2);
}

/** Filters in which levels may hold variables. */
export const pattern = joined(
  fc.oneof(letter, fc.constant('+'), variable),
  fc.oneof(letter, fc.constantFrom('+', '#', '$s'), variable),
  fc.oneof(letter, fc.constantFrom('+', '#'), variable),
).filter(isWritten);

/** What a client may call itself, with everything that could give a pattern another meaning. */
const name = fc.constantFrom('a', 'b', 'ab', '', '+', '#', 'a/b', '$s', 'a\u0001', '*', '.*', 'a:b');

const several = fc.array(name, { maxLength: 3 });

/** A client with some of everything that a rule can ask of it. */
export const subject: fc.Arbitrary<Subject> = fc.record({
  username: fc.option(name, { nil: undefined }),
  clientId: name,
  method: fc.constantFrom('password', 'certificate'),
  groups: fc.subarray(['some', 'more']),
  scopes: fc.subarray(['read', 'write']),
  claims: fc.record({ tenant: fc.oneof(name, several) }),
  certificate: fc.option(fc.record({ cn: name, san_uri: several }), { nil: undefined }),
  address: fc.constant('127.0.0.1'),
  listener: fc.constant('mqtts:8883'),
  tls: fc.boolean(),
});

/** What is not known of a payload is left out. */
export const circumstances: fc.Arbitrary<Circumstances> = fc.record({
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  payloadSize: fc.constantFrom(undefined, 0, 10, 11),
  sealed: fc.constantFrom(undefined, 'none', 'signature'),
});

const topicActions = fc.subarray(['publish', 'receive', 'subscribe'], { minLength: 1 });
const about = fc.constantFrom<NaiveAbout>(
  {},
  {},
  { username: 'a' },
  { group: ['some'] },
  { group: ['more', 'some'] },
  { cert: { cn: 'a' } },
  { cert: { san_uri: 'b' }, method: 'certificate' },
  { claims: { tenant: 'a' } },
  { scope: 'read' },
);
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
        when: fc.constantFrom<NonNullable<NaiveRule['when']>>(
          { retain: true },
          { retain: false, qos: 0 },
          { max_payload: 10 },
          { min_payload: 1, tls: true },
          { sealed: 'signature' },
          { sealed: 'none' },
        ),
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
    weight: 1,
    arbitrary: withEffect(
      fc.record({
        actions: topicActions,
        subject: about,
        when: fc.constantFrom<NonNullable<NaiveRule['when']>>(
          { tls: true },
          { tls: false },
          { hours: '08:00-17:30' },
          { hours: '22:00-06:00' },
        ),
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

const giving: fc.Arbitrary<NaiveRule> = fc.record({
  subject: about,
  roles: fc.subarray(['one', 'two'], { minLength: 1 }),
});

export const policy: fc.Arbitrary<NaivePolicy> = fc.record({
  groups: fc.constantFrom<NaivePolicy['groups']>(
    { some: ['a', 'ab'], more: [] },
    { some: [], more: [{ group: ['some'], claims: { tenant: 'b' } }, 'b'] },
    { some: [{ cert: { cn: 'a' } }], more: [{ group: ['some'] }] },
  ),
  roles: fc.record({
    one: fc.array(rule, { maxLength: 2 }),
    two: fc.array(fc.oneof(rule, fc.record({ subject: about, roles: fc.constant(['one']) })), { maxLength: 2 }),
  }),
  rules: fc.array(fc.oneof({ weight: 4, arbitrary: rule }, { weight: 1, arbitrary: giving }), { maxLength: 6 }),
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
