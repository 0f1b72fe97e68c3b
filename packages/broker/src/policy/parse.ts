import { Mistakes, type Report, readYaml } from '../yaml/read-yaml.js';
import type { Path, YamlSource } from '../yaml/yaml-source.js';
import { Policy } from './compile.js';
import { Clock } from './hours.js';
import { parseConditions, parseSetting } from './parse-conditions.js';
import { parseClientIds, parseTopics } from './parse-objects.js';
import { parseGroups, parseSubject } from './parse-subject.js';
import { policySchema, type WrittenRule } from './policy-schema.js';
import { type Entry, expandRoles } from './roles.js';
import type { Action, Effect, PolicyText } from './rule.js';

const code = 'policy.invalid';

/**
 * Reads a policy. An empty one has no rules, so that the default decides everything.
 * @param file where the text stands, for messages and for the places of rules
 * @throws OperatorErrors with every mistake in it
 */
export function readPolicy(text: string, file: string): PolicyText {
  const codes = { syntax: code, unknownKey: code, invalidValue: code } as const;
  const { value, source } = readYaml(text, file, policySchema, codes);
  const mistakes = new Mistakes(source);
  const report: Report = (path, message, hint) => mistakes.add(code, path, message, hint);
  checkTimeZone(value.timezone, report);
  const groups = parseGroups(value.groups, report);
  const entriesOf = (written: readonly WrittenRule[], path: Path): Entry[] =>
    written.map((rule, index) => parseEntry(rule, value.groups, [...path, index], source, report));
  const roles = new Map(
    Object.entries(value.roles).map(([name, written]) => [name, entriesOf(written, ['roles', name])] as const),
  );
  const expanded = expandRoles(entriesOf(value.rules, ['rules']), roles, report);
  mistakes.throwIfAny();
  return { ...expanded, groups, timeZone: value.timezone };
}

/** The same, ready to be asked. */
export function parsePolicy(text: string, file: string, fallback: Effect = 'deny'): Policy {
  return Policy.of(readPolicy(text, file), fallback);
}

function parseEntry(
  written: WrittenRule,
  groups: Parameters<typeof parseSubject>[1],
  path: Path,
  source: YamlSource,
  report: Report,
): Entry {
  const subject = parseSubject(written.subject ?? {}, groups, [...path, 'subject'], report);
  const place = source.placeOf(path);
  const { roles, allow, deny, topics, clientids, when = {} } = written;
  if ([roles, allow, deny].filter((given) => given !== undefined).length !== 1)
    report(path, 'a rule must have either allow or deny, or roles', 'write a rule for each');
  if (roles !== undefined) {
    for (const key of ['topics', 'clientids', 'when'] as const)
      if (Object.hasOwn(written, key))
        report([...path, key], `${key} beside roles`, 'the rules of the role have their own');
    return { kind: 'roles', roles, subject, path, place };
  }
  const effect = deny === undefined ? 'allow' : 'deny';
  const actions = new Set(written[effect]);
  checkObjects(written, actions, path, report);
  return {
    kind: 'permission',
    subject,
    permission: {
      effect,
      actions,
      topics: parseTopics(topics ?? [], [...path, 'topics'], report),
      clientIds: parseClientIds(clientids ?? [], [...path, 'clientids'], report),
      conditions: parseConditions(when, actions, [...path, 'when'], report),
      setting: parseSetting(when, [...path, 'when'], report),
      place,
    },
  };
}

/** Every action needs what it acts on, and nothing is there for no action. */
function checkObjects(
  { topics, clientids }: WrittenRule,
  actions: ReadonlySet<Action>,
  path: Path,
  report: Report,
): void {
  const onTopics = [...actions].some((action) => action !== 'connect');
  if (onTopics && !topics) report(path, 'this rule needs topics', 'topics: "#" means every topic');
  if (!onTopics && topics) report([...path, 'topics'], 'topics without publish, subscribe or receive');
  if (actions.has('connect') && !clientids)
    report(path, 'a rule on connect needs clientids', 'clientids: "*" means every client ID');
  if (!actions.has('connect') && clientids) report([...path, 'clientids'], 'clientids without connect');
}

function checkTimeZone(name: string, report: Report): void {
  if (name === 'UTC') return;
  try {
    new Clock(name).minuteOfDay(0);
  } catch {
    report(['timezone'], `there is no time zone ${name}`, 'write one such as UTC or Europe/Berlin');
  }
}
