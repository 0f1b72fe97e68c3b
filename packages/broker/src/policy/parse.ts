import { OperatorErrors } from '../errors.js';
import { Mistakes, type Report, readYaml } from '../yaml/read-yaml.js';
import type { Path, YamlSource } from '../yaml/yaml-source.js';
import { Policy } from './compile.js';
import { Clock } from './hours.js';
import { parseConditions, parseSetting } from './parse-conditions.js';
import { parseClientIds, parseTopics } from './parse-objects.js';
import { parseGroups, parseSubject } from './parse-subject.js';
import { policySchema, rulesSchema, type WrittenPolicy, type WrittenRule } from './policy-schema.js';
import { collected, type Portions } from './portions.js';
import { type Entry, RoleExpansion } from './roles.js';
import type { Action, Effect, PolicyText, Rule } from './rule.js';
import { type SplitPolicy, splitRules } from './split-rules.js';

const code = 'policy.invalid';
const codes = { syntax: code, unknownKey: code, invalidValue: code } as const;

/** Characters beyond which a policy is read in parts: the tree of a whole takes a hundred times as much memory. */
const longText = 65_536;

/**
 * Reads a policy. An empty one has no rules, so that the default decides everything.
 * @param file where the text stands, for messages and for the places of rules
 * @throws OperatorErrors with every mistake in it
 */
export function readPolicy(text: string, file: string): PolicyText {
  return collected(policyPortions(text, file));
}

/**
 * The same, portion by portion: a long one need not be in memory as a whole.
 * @throws OperatorErrors as soon as the next portion is asked for
 */
export function* policyPortions(text: string, file: string): Portions {
  const parts = text.length > longText ? splitRules(text) : undefined;
  if (parts !== undefined) {
    try {
      return yield* readParts(parts, file);
    } catch (error) {
      // Mistakes are told of as those of the whole.
      if (!(error instanceof OperatorErrors)) throw error;
      yield 'again';
    }
  }
  const { value, source } = readYaml(text, file, policySchema, codes);
  const writing = new Writing(source, value.groups);
  const policy = new Assembly(writing, value);
  const rules = policy.add(writing.entriesOf(value.rules, ['rules']));
  const rest = policy.rest();
  yield rules;
  return rest;
}

function* readParts({ head, rules }: SplitPolicy, file: string): Portions {
  const { value, source } = readYaml(head, file, policySchema, codes);
  const policy = new Assembly(new Writing(source, value.groups), value);
  for (const { text, linesBefore } of rules) {
    const part = readYaml(text, file, rulesSchema, codes, linesBefore);
    const writing = new Writing(part.source, value.groups);
    const entries = writing.entriesOf(part.value, []);
    writing.mistakes.throwIfAny();
    yield policy.add(entries);
  }
  return policy.rest();
}

/** What was written in one text. */
class Writing {
  readonly mistakes: Mistakes;
  readonly report: Report = (path, message, hint) => this.mistakes.add(code, path, message, hint);

  constructor(
    private readonly source: YamlSource,
    private readonly groups: WrittenPolicy['groups'],
  ) {
    this.mistakes = new Mistakes(source);
  }

  entriesOf(rules: readonly WrittenRule[], path: Path): Entry[] {
    return rules.map((rule, index) => parseEntry(rule, this.groups, [...path, index], this.source, this.report));
  }
}

/** A policy of which the rules come one after the other. */
class Assembly {
  private readonly roles: RoleExpansion;

  constructor(
    private readonly head: Writing,
    private readonly value: WrittenPolicy,
  ) {
    const roles = Object.entries(value.roles).map(
      ([name, written]) => [name, head.entriesOf(written, ['roles', name])] as const,
    );
    this.roles = new RoleExpansion(new Map(roles), head.report);
  }

  add(entries: readonly Entry[]): Rule[] {
    return this.roles.expand(entries);
  }

  /** @throws OperatorErrors with every mistake that was found */
  rest(): Omit<PolicyText, 'rules'> {
    const { head, roles, value } = this;
    checkTimeZone(value.timezone, head.report);
    const groups = parseGroups(value.groups, head.report);
    const given = roles.given();
    head.mistakes.throwIfAny();
    return { groups, roles: given, timeZone: value.timezone };
  }
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
