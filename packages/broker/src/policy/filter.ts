/** What is wrong with a topic filter (MQTT 5.0 §4.7.1, §4.7.3), or undefined. Shared subscriptions are not looked into. */
export function filterProblem(filter: string): string | undefined {
  if (filter === '') return 'is empty';
  if (filter.includes('\0')) return 'holds a null character';
  if (/\p{Surrogate}/u.test(filter)) return 'holds half of a character, which no topic does';
  const levels = filter.split('/');
  for (const [index, level] of levels.entries()) {
    if (level.length > 1 && /[+#]/.test(level))
      return `has a level "${level}": a wildcard must stand alone in its level`;
    if (level === '#' && index < levels.length - 1) return 'goes on after #, which must be the last level';
  }
  return undefined;
}

/**
 * Whether a topic name matches a topic filter, both well-formed.
 * A filter that begins with a wildcard does not match a topic that begins with `$` [MQTT-4.7.2-1].
 */
export function topicMatches(filter: string, topic: string): boolean {
  return filterIsSubset(topic, filter);
}

/**
 * Whether every topic that matches the filter `requested` also matches the filter `granted`, both well-formed.
 * A topic name is the filter that matches nothing else, so it can stand for `requested`.
 */
export function filterIsSubset(requested: string, granted: string): boolean {
  const wanted = requested.split('/');
  const given = granted.split('/');
  // Before the first level the two are the same: every topic has one.
  if (granted === '+/#') given.shift();
  for (const [index, level] of given.entries()) {
    const asked = wanted[index];
    const reserved = index === 0 && asked !== undefined && asked.startsWith('$');
    if (level === '#') return !reserved;
    if (asked === undefined || asked === '#') return false;
    if (level === '+' ? reserved : level !== asked) return false;
  }
  return wanted.length === given.length;
}

/** The one filter that matches exactly the topics that two filters have in common, or undefined when there are none. */
export function intersection(one: string, other: string): string | undefined {
  const [a, b] = [one.split('/'), other.split('/')];
  const common: string[] = [];
  for (let index = 0; ; index++) {
    const [x, y] = [a[index], b[index]];
    if (index === 0 && (isWildcard(x) ? y : x)?.startsWith('$') && (isWildcard(x) || isWildcard(y))) return undefined;
    if (x === '#') return [...common, ...b.slice(index)].join('/');
    if (y === '#') return [...common, ...a.slice(index)].join('/');
    if (x === undefined && y === undefined) return common.join('/');
    if (x === undefined || y === undefined) return undefined;
    if (x !== '+' && y !== '+' && x !== y) return undefined;
    common.push(x === '+' ? y : x);
  }
}

function isWildcard(level: string | undefined): boolean {
  return level === '+' || level === '#';
}
