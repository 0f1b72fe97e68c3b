import { Mistakes, type Report, readYaml } from '../yaml/read-yaml.js';
import { closest } from '../yaml/suggest.js';
import type { Path } from '../yaml/yaml-source.js';
import { Policy } from './compile.js';
import { filterProblem } from './filter.js';
import { type ClientIdPattern, parseClientIdPattern, parseTopicPattern, type TopicPattern } from './object.js';
import { parseSubject } from './parse-subject.js';
import { policySchema, type WrittenRule } from './policy-schema.js';
import type { Action, Conditions, Effect, Rule } from './rule.js';
import { isVariable, parseTemplate, variableNames, variablesOf } from './template.js';

const code = 'policy.invalid';

/**
 * Reads a policy. An empty one has no rules, so that the default decides everything.
 * @param file where the text stands, for messages and for the places of rules
 * @param fallback what happens to what no rule speaks of
 * @throws OperatorErrors with every mistake in it
 */
export function parsePolicy(text: string, file: string, fallback: Effect = 'deny'): Policy {
  const codes = { syntax: code, unknownKey: code, invalidValue: code } as const;
  const { value, source } = readYaml(text, file, policySchema, codes);
  const mistakes = new Mistakes(source);
  const report: Report = (path, message, hint) => mistakes.add(code, path, message, hint);
  const rules = value.rules.map((written, index): Rule => {
    const path = ['rules', index];
    const effect = effectOf(written, path, report);
    const actions = new Set(written[effect]);
    checkObjects(written, actions, path, report);
    return {
      effect,
      actions,
      subject: parseSubject(written.subject ?? {}, value.groups, [...path, 'subject'], report),
      topics: parseTopics(written.topics ?? [], [...path, 'topics'], report),
      clientIds: parseClientIds(written.clientids ?? [], [...path, 'clientids'], report),
      conditions: parseConditions(written, actions, [...path, 'when'], report),
      place: source.placeOf(path),
    };
  });
  mistakes.throwIfAny();
  return new Policy(rules, fallback);
}

function effectOf({ allow, deny }: WrittenRule, path: Path, report: Report): Effect {
  if ((allow === undefined) === (deny === undefined)) {
    report(path, 'a rule must have either allow or deny', 'write a rule for each');
  }
  return deny === undefined ? 'allow' : 'deny';
}

/** Every action needs what it acts on, and nothing is there for no action. */
function checkObjects(
  { topics, clientids }: WrittenRule,
  actions: ReadonlySet<Action>,
  path: Path,
  report: Report,
): void {
  const onTopics = actions.has('publish') || actions.has('subscribe') || actions.has('receive');
  if (onTopics && !topics) report(path, 'this rule needs topics', 'topics: "#" means every topic outside of $ trees');
  if (!onTopics && topics) report([...path, 'topics'], 'topics without publish, subscribe or receive');
  if (actions.has('connect') && !clientids)
    report(path, 'a rule on connect needs clientids', 'clientids: "*" means every client ID');
  if (!actions.has('connect') && clientids) report([...path, 'clientids'], 'clientids without connect');
}

function parseTopics(texts: readonly string[], path: Path, report: Report): TopicPattern[] {
  for (const [index, text] of texts.entries()) {
    const at = [...path, index];
    checkVariables(text, at, report);
    const problem = filterProblem(text.replace(/\$\{[^}]*\}/g, 'x'));
    if (problem) report(at, `the topic filter ${JSON.stringify(text)} ${problem}`);
    if (text.startsWith('$share/'))
      report(at, 'a rule is about the filter in a shared subscription', 'leave out $share and the name');
  }
  return texts.map(parseTopicPattern);
}

function parseClientIds(texts: readonly string[], path: Path, report: Report): ClientIdPattern[] {
  return texts.flatMap((text, index) => {
    checkVariables(text, [...path, index], report);
    const pattern = parseClientIdPattern(text);
    if (!pattern) report([...path, index], `${JSON.stringify(text)} has more than one *`);
    return pattern ?? [];
  });
}

function checkVariables(text: string, path: Path, report: Report): void {
  const template = parseTemplate(text);
  for (const name of variablesOf(template)) {
    if (isVariable(name)) continue;
    const meant = closest(name, variableNames);
    const known = variableNames.map((known) => `\${${known}}`).join(' and ');
    report(path, `there is no variable \${${name}}`, meant ? `did you mean \${${meant}}?` : `there are ${known}`);
  }
  if (template.some((part, index) => index % 2 === 0 && part.includes('${'))) {
    report(path, `${JSON.stringify(text)} has a \${ without its }`);
  }
}

/** A delivery is judged by its topic alone, so that the answer is the same for each message of it. */
function parseConditions(
  { when = {} }: WrittenRule,
  actions: ReadonlySet<Action>,
  path: Path,
  report: Report,
): Conditions {
  const { qos, retain } = when;
  const refuse = (key: string, unknown: readonly Action[]) => {
    const action = unknown.find((action) => actions.has(action));
    if (action)
      report([...path, key], `${key} is not known of ${action}`, 'write rules of their own for the other actions');
  };
  if (qos !== undefined) refuse('qos', ['connect', 'receive']);
  if (retain !== undefined) refuse('retain', ['connect', 'subscribe', 'receive']);
  return { ...(qos === undefined ? {} : { qos: new Set(qos) }), ...(retain === undefined ? {} : { retain }) };
}
