import fc from 'fast-check';

/** Whether a topic filter matches a topic name, by the words of MQTT 5.0 §4.7, level by level. */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && (filter.startsWith('+') || filter.startsWith('#'))) return false;
  return levelsMatch(filter.split('/'), topic.split('/'));
}

function levelsMatch([filter, ...filters]: readonly string[], [topic, ...topics]: readonly string[]): boolean {
  if (filter === '#') return true;
  if (filter === undefined || topic === undefined) {
    // `a/#` also matches `a`.
    return filter === undefined && topic === undefined;
  }
  if (filter !== '+' && filter !== topic) return false;
  if (topics.length === 0 && filters.length === 1 && filters[0] === '#') return true;
  if (filters.length === 0 || topics.length === 0) return filters.length === topics.length;
  return levelsMatch(filters, topics);
}

/** Few names, so that filters and topics meet: empty levels, `$` and what looks like an object's own. */
const level = fc.constantFrom('a', 'b', '', '$x', '__proto__', 'é');

export const topicName: fc.Arbitrary<string> = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '');

export const topicFilter: fc.Arbitrary<string> = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, hash]) => [...levels, ...(hash ? ['#'] : [])].join('/'))
  .filter((filter) => filter !== '');

/** An ordinary filter, or a shared one with its group. */
export const anyFilter: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: topicFilter },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('g', 'h'), topicFilter).map(([group, filter]) => `$share/${group}/${filter}`),
  },
);

/** `$share/{group}/{filter}` taken apart. */
export function sharedParts(filter: string): { group: string; inner: string } | undefined {
  const [, group, inner] = /^\$share\/([^/]+)\/(.+)$/s.exec(filter) ?? [];
  return group === undefined || inner === undefined ? undefined : { group, inner };
}
