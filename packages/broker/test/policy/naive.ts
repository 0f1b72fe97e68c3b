// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the policy language
import type { Circumstances } from '../../dist/policy/conditions.js';
import type { Subject } from '../../dist/policy/facts.js';

/** The definition of a policy's answers, written down as plainly as possible and without regard to speed. */
export interface NaiveRule {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly roles?: readonly string[];
  readonly subject?: NaiveAbout;
  readonly topics?: readonly string[];
  readonly clientids?: readonly string[];
  readonly when?: {
    readonly qos?: number;
    readonly retain?: boolean;
    readonly min_payload?: number;
    readonly max_payload?: number;
    readonly sealed?: string;
    readonly tls?: boolean;
    readonly hours?: string;
  };
}

/** Whom a rule is about, or a group consists of: every field must hold, by any of its entries. */
export interface NaiveAbout {
  readonly username?: string;
  readonly group?: readonly string[];
  readonly cert?: { readonly cn?: string; readonly san_uri?: string };
  readonly claims?: { readonly tenant?: string };
  readonly scope?: string;
  readonly method?: string;
}

export interface NaivePolicy {
  readonly groups: Readonly<Record<string, readonly (string | NaiveAbout)[]>>;
  readonly roles?: Readonly<Record<string, readonly NaiveRule[]>>;
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
  subject: Subject,
  action: string,
  target: string,
  circumstances: Circumstances,
  minute = 0,
): boolean {
  if (action === 'publish' && /^\$(SYS|share)(\/|$)/.test(target)) return false;
  const rules = policy.rules.flatMap((rule) => written(rule, policy));
  const applies = ({ about, rule }: Written) =>
    about.every((each) => isAbout(policy, each, subject)) &&
    holds(rule, subject, circumstances, minute) &&
    (action === 'connect'
      ? (rule.clientids ?? []).some((pattern) => clientIdMatches(pattern, subject, target))
      : (rule.topics ?? []).some((pattern) => topicApplies(pattern, subject, action, target)));
  if (rules.some((each) => each.rule.deny?.includes(action) && applies(each))) return false;
  if (rules.some((each) => each.rule.allow?.includes(action) && applies(each))) return true;
  return fallback === 'allow';
}

/** A rule that allows or denies, and everything that its client must be. */
interface Written {
  readonly rule: NaiveRule;
  readonly about: readonly NaiveAbout[];
}

function written(rule: NaiveRule, policy: NaivePolicy): Written[] {
  const about = rule.subject ?? {};
  if (rule.roles === undefined) return [{ rule, about: [about] }];
  const inner = rule.roles.flatMap((role) => policy.roles?.[role] ?? []).flatMap((each) => written(each, policy));
  return inner.map((each) => ({ rule: each.rule, about: [about, ...each.about] }));
}

/** What is not known counts as what keeps a rule from allowing. */
function holds(
  { when = {}, deny }: NaiveRule,
  subject: Subject,
  circumstances: Circumstances,
  minute: number,
): boolean {
  const { qos, retain, payloadSize, sealed } = circumstances;
  const unknown = deny !== undefined;
  if (when.qos !== undefined && when.qos !== qos) return false;
  if (when.retain !== undefined && when.retain !== retain) return false;
  if (when.tls !== undefined && when.tls !== (subject.tls ?? false)) return false;
  if (when.min_payload !== undefined && !(payloadSize === undefined ? unknown : payloadSize >= when.min_payload))
    return false;
  if (when.max_payload !== undefined && !(payloadSize === undefined ? unknown : payloadSize <= when.max_payload))
    return false;
  if (when.sealed !== undefined && !(sealed === undefined ? unknown : sealed === when.sealed)) return false;
  if (when.hours === undefined) return true;
  const [from = 0, to = 0] = when.hours
    .split('-')
    .map((clock) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3)));
  return from < to ? from <= minute && minute < to : from <= minute || minute < to;
}

function isAbout(policy: NaivePolicy, about: NaiveAbout, subject: Subject): boolean {
  const { username, group, cert, claims, scope, method } = about;
  const { tenant } = subject.claims ?? {};
  return (
    (username === undefined || username === subject.username) &&
    (method === undefined || method === subject.method) &&
    (scope === undefined || (subject.scopes ?? []).includes(scope)) &&
    (cert?.cn === undefined || cert.cn === subject.certificate?.cn) &&
    (cert?.san_uri === undefined || (subject.certificate?.san_uri ?? []).includes(cert.san_uri)) &&
    (claims?.tenant === undefined || [tenant].flat().includes(claims.tenant)) &&
    (group === undefined || group.some((name) => isMember(policy, name, subject)))
  );
}

function isMember(policy: NaivePolicy, name: string, subject: Subject): boolean {
  if (subject.groups?.includes(name)) return true;
  return (policy.groups[name] ?? []).some((entry) =>
    isAbout(policy, typeof entry === 'string' ? { username: entry } : entry, subject),
  );
}

function topicApplies(pattern: string, subject: Subject, action: string, target: string): boolean {
  return substitute(pattern, subject).some((filter) => {
    if (filter.startsWith('$') && pattern.startsWith('${')) return false;
    return action === 'subscribe'
      ? naiveIsSubset(target.replace(/^\$share\/[^/]*\//, ''), filter)
      : naiveMatches(filter, target);
  });
}

function clientIdMatches(pattern: string, subject: Subject, clientId: string): boolean {
  const star = '\u{f8ff}';
  return substitute(pattern.replaceAll('*', star), subject).some((text) => {
    const literal = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(star, '.*');
    return new RegExp(`^${literal}$`, 's').test(clientId);
  });
}

/** Every text that a pattern becomes by some choice of one value for each of its variables. */
function substitute(pattern: string, subject: Subject): string[] {
  const [variable] = /\$\{[^}]*\}/.exec(pattern) ?? [];
  if (variable === undefined) return [pattern];
  const { username, clientId, certificate, claims } = subject;
  const known: Record<string, unknown> = {
    '${username}': username,
    '${clientid}': clientId,
    '${cert.cn}': certificate?.cn,
    '${cert.san_uri}': certificate?.san_uri,
    '${claims.tenant}': claims?.['tenant' as never],
  };
  const values = [known[variable] ?? []].flat() as string[];
  const usable = values.filter(
    (value) => value && ![...value].some((character) => /[/+#]/.test(character) || character < ' '),
  );
  return usable.flatMap((value) =>
    substitute(
      pattern.replaceAll(variable, () => value),
      subject,
    ),
  );
}
