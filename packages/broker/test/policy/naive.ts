/** The definition of a policy's answers, written down as plainly as possible and without regard to speed. */
export interface NaiveRule {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly subject?: { readonly username?: string; readonly group?: string };
  readonly topics?: readonly string[];
  readonly clientids?: readonly string[];
  readonly when?: { readonly qos?: number; readonly retain?: boolean };
}

export interface NaiveSubject {
  readonly username: string | undefined;
  readonly clientId: string;
}

export interface NaivePolicy {
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly rules: readonly NaiveRule[];
}

const letters = ['', 'a', 'b', 'never-named', '$s'];

const textsOfTopics = topicsUpTo(4);

/** Every topic of up to four levels that the filters of the tests could tell apart. */
export const shortTopics: readonly string[] = textsOfTopics.filter((topic) => topic !== '');

function topicsUpTo(depth: number): string[] {
  if (depth === 1) return letters;
  const shorter = topicsUpTo(depth - 1);
  return [...new Set([...shorter, ...shorter.flatMap((topic) => letters.map((letter) => `${topic}/${letter}`))])];
}

/** MQTT 5.0 §4.7 as a regular expression. */
export function naiveMatches(filter: string, topic: string): boolean {
  if (/^[+#]/.test(filter) && topic.startsWith('$')) return false;
  const expression = filter
    .split('/')
    .map((level) => level.replace(/[.*?^${}()|[\]\\]/g, '\\$&'))
    .map((level) => (level === '+' ? '[^/]*' : level))
    .join('/')
    .replace(/^#$/, '.*')
    .replace(/\/#$/, '(/.*)?');
  return new RegExp(`^${expression}$`, 's').test(topic);
}

/** The empty topic, which nobody can publish to, counts: `/#` is refused to whoever has `/+/#`, which is safe. */
export function naiveIsSubset(requested: string, granted: string): boolean {
  return textsOfTopics.filter((topic) => naiveMatches(requested, topic)).every((topic) => naiveMatches(granted, topic));
}

export function naiveDecide(
  policy: NaivePolicy,
  fallback: 'allow' | 'deny',
  subject: NaiveSubject,
  action: string,
  target: string,
  circumstances: { qos: number; retain: boolean },
): boolean {
  const applies = (rule: NaiveRule) =>
    isAbout(policy, rule, subject) &&
    (rule.when?.qos ?? circumstances.qos) === circumstances.qos &&
    (rule.when?.retain ?? circumstances.retain) === circumstances.retain &&
    (action === 'connect'
      ? (rule.clientids ?? []).some((pattern) => clientIdMatches(pattern, subject, target))
      : (rule.topics ?? []).some((pattern) => topicApplies(pattern, subject, action, target)));
  if (policy.rules.some((rule) => rule.deny?.includes(action) && applies(rule))) return false;
  if (policy.rules.some((rule) => rule.allow?.includes(action) && applies(rule))) return true;
  return fallback === 'allow';
}

function isAbout({ groups }: NaivePolicy, { subject = {} }: NaiveRule, { username }: NaiveSubject): boolean {
  if (subject.username !== undefined && subject.username !== username) return false;
  return subject.group === undefined || (username !== undefined && (groups[subject.group] ?? []).includes(username));
}

function topicApplies(pattern: string, subject: NaiveSubject, action: string, target: string): boolean {
  const filter = substitute(pattern, subject);
  if (filter === undefined) return false;
  if (filter.startsWith('$') && pattern.startsWith('${')) return false;
  return action === 'subscribe'
    ? naiveIsSubset(target.replace(/^\$share\/[^/]*\//, ''), filter)
    : naiveMatches(filter, target);
}

function clientIdMatches(pattern: string, subject: NaiveSubject, clientId: string): boolean {
  const parts = pattern.split('*').map((part) => substitute(part, subject));
  if (parts.includes(undefined)) return false;
  const literal = parts.map((part) => (part ?? '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${literal.join('.*')}$`, 's').test(clientId);
}

function substitute(pattern: string, { username, clientId }: NaiveSubject): string | undefined {
  const values: Record<string, string | undefined> = { username, clientid: clientId };
  const used = [...pattern.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => values[name]);
  if (used.some((value) => !value || [...value].some((character) => /[/+#]/.test(character) || character < ' '))) {
    return undefined;
  }
  return pattern.replace(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}
