import { OperatorError, OperatorErrors, type Place } from '../errors.js';
import { filterProblem } from './filter.js';
import { topicPattern } from './object.js';
import type { Action, Effect, PolicyText, Rule } from './rule.js';
import { everybody, type SubjectPattern } from './subject.js';
import type { Template } from './template.js';
import { exactly } from './text-pattern.js';

/** What each word of Mosquitto's means to us. Reading is subscribing, and getting what was subscribed to. */
const access: Record<string, { readonly effect: Effect; readonly actions: readonly Action[] }> = {
  read: { effect: 'allow', actions: ['subscribe', 'receive'] },
  write: { effect: 'allow', actions: ['publish'] },
  readwrite: { effect: 'allow', actions: ['publish', 'subscribe', 'receive'] },
  deny: { effect: 'deny', actions: ['publish', 'subscribe', 'receive'] },
};

const anonymous: SubjectPattern = { tests: [{ fact: 'method', patterns: [exactly('anonymous')] }], addresses: [] };

/** Whether a text is an access control list of Mosquitto's rather than a policy of ours. */
export function isAcl(text: string): boolean {
  const first = text.split(/\r?\n/).find((line) => line.trim() !== '' && !line.startsWith('#'));
  return first !== undefined && /^(user|topic|pattern) /.test(first);
}

/**
 * Reads an `acl_file` of Mosquitto (mosquitto.conf(5)) as it is:
 *
 * - `topic [read|write|readwrite|deny] FILTER`: of the user named above it, of anonymous clients where there is none;
 * - `user NAME`: whom the next lines are about;
 * - `pattern [read|write|readwrite|deny] FILTER`: of everybody, with `%u` for the user name and `%c` for the client ID;
 * - `# …`: a comment.
 *
 * Such a list says nothing of client IDs, so that everybody may use any.
 * @throws OperatorErrors with every mistake in it
 */
export function readAcl(text: string, file: string): PolicyText {
  const mistakes: OperatorError[] = [];
  const rules: Rule[] = [anyClientId({ file, line: 1, column: 1 })];
  let user = anonymous;
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trimEnd();
    const place = { file, line: index + 1, column: 1 };
    if (line === '' || line.startsWith('#')) continue;
    const [, keyword = '', rest = ''] = /^(\S+) *(.*)$/s.exec(line) ?? [];
    try {
      if (keyword === 'user') user = userNamed(rest.trim(), place);
      else if (keyword === 'topic') rules.push(ruleOf(rest, user, false, place));
      else if (keyword === 'pattern') rules.push(ruleOf(rest, everybody, true, place));
      else
        throw mistake(`there is no ${keyword} in an access control list`, place, 'there are user, topic and pattern');
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      mistakes.push(error);
    }
  }
  if (mistakes.length > 0) throw new OperatorErrors(mistakes);
  return { rules, groups: [], roles: [], timeZone: 'UTC' };
}

function userNamed(name: string, place: Place): SubjectPattern {
  if (name === '') throw mistake('user without a name', place, 'write user NAME');
  return { tests: [{ fact: 'username', patterns: [exactly(name)] }], addresses: [] };
}

function ruleOf(rest: string, subject: SubjectPattern, hasVariables: boolean, place: Place): Rule {
  const [, word = '', more = ''] = /^(\S*) *(.*)$/s.exec(rest) ?? [];
  // With one word it is the filter; with more, the first says what is allowed.
  const [kind, filter] = more === '' ? ['readwrite', word] : [word, more];
  const known = Object.hasOwn(access, kind) ? access[kind] : undefined;
  if (known === undefined)
    throw mistake(`${JSON.stringify(kind)} is no kind of access`, place, 'there are read, write, readwrite and deny');
  const problem = filterProblem(filter);
  if (problem !== undefined) throw mistake(`the topic filter ${JSON.stringify(filter)} ${problem}`, place);
  const levels = filter.split('/').map((level) => (hasVariables ? template(level) : [level]));
  return {
    ...nothingMore,
    effect: known.effect,
    actions: new Set(known.actions),
    subject,
    topics: [topicPattern(filter, levels)],
    place,
  };
}

const nothingMore = { clientIds: [], conditions: {}, setting: {}, given: undefined };

/** A level with Mosquitto's variables as a template of ours. */
function template(level: string): Template {
  return level.split(/%([cu])/).map((part, index) => (index % 2 === 0 ? part : part === 'c' ? 'clientid' : 'username'));
}

function anyClientId(place: Place): Rule {
  return {
    ...nothingMore,
    effect: 'allow',
    actions: new Set<Action>(['connect']),
    subject: everybody,
    topics: [],
    clientIds: [{ text: '*', before: [''], after: [''] }],
    place,
  };
}

function mistake(message: string, place: Place, hint?: string): OperatorError {
  return new OperatorError('policy.invalid', message, { place, ...(hint === undefined ? {} : { hint }) });
}
