import { parseTopicPattern, type TopicPattern } from './object.js';
import type { Group, PolicyText, Rule } from './rule.js';
import type { FactTest, SubjectPattern } from './subject.js';
import { type Template, variablesOf } from './template.js';

/**
 * What a policy says about publishing of clients of whom no more is known than user name and client ID. Doubt is in their
 * favour: whatever else a rule asks of a client or its connection counts as given where it allows, and as not given where it
 * denies. So a no means that nobody of these names may publish, whatever else it shows.
 */
export function byName({ rules, groups, timeZone }: PolicyText): PolicyText {
  const listed = listedGroups(groups);
  return {
    rules: rules.filter(({ actions }) => actions.has('publish')).flatMap((rule) => ruleByName(rule, listed)),
    groups: groups.filter(({ name }) => listed.has(name)),
    roles: [],
    timeZone,
  };
}

function ruleByName(rule: Rule, groups: ReadonlySet<string>): Rule[] {
  const { effect, subject, setting, conditions } = rule;
  const { sealed, ...known } = conditions;
  const tests = subject.tests.filter((test) => isOfNames(test, groups));
  const asksMore =
    tests.length < subject.tests.length ||
    subject.addresses.length > 0 ||
    setting.tls !== undefined ||
    setting.hours !== undefined ||
    sealed !== undefined;
  if (effect === 'deny' && asksMore) return [];
  const topics = rule.topics.flatMap((pattern) => topicByName(pattern, effect === 'allow'));
  return [{ ...rule, subject: { tests, addresses: [] }, setting: {}, conditions: known, topics }];
}

/** Where a rule allows, a level of which it is not known what it is can be any. */
function topicByName(pattern: TopicPattern, isWidened: boolean): TopicPattern[] {
  const isKnown = pattern.levels.map(areNames);
  if (!isKnown.includes(false)) return [pattern];
  const levels = pattern.text.split('/').map((text, index) => (isKnown[index] ? text : '+'));
  return isWidened ? [parseTopicPattern(levels.join('/'))] : [];
}

function areNames(level: Template): boolean {
  return variablesOf(level).every((variable) => variable === 'username' || variable === 'clientid');
}

/** Whether names tell what is asked. That it is nobody's is one: an anonymous client has no other way in. */
function isOfNames({ fact, patterns }: FactTest, groups: ReadonlySet<string>): boolean {
  switch (fact) {
    case 'username':
    case 'clientid':
      return true;
    case 'group':
      return patterns.every(({ before }) => groups.has(before));
    case 'method':
      return patterns.every(({ before, after }) => before === 'anonymous' && after === undefined);
    default:
      return false;
  }
}

/** Those whose members are all listed in the policy, and by their names. */
function listedGroups(groups: readonly Group[]): ReadonlySet<string> {
  const listed = new Set(groups.map(({ name }) => name));
  const isListed = ({ tests, addresses }: SubjectPattern): boolean =>
    addresses.length === 0 && tests.every((test) => isOfNames(test, listed));
  for (let before = -1; before !== listed.size; ) {
    before = listed.size;
    for (const { name, members } of groups) if (members.length === 0 || !members.every(isListed)) listed.delete(name);
  }
  return listed;
}
