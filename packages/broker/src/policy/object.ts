import type { Subject } from './facts.js';
import { bindTemplate, parseTemplate, type Template, variablesOf } from './template.js';
import { matchesText, type TextPattern } from './text-pattern.js';

/** A topic filter whose levels may hold variables. */
export interface TopicPattern {
  /** As it was written. */
  readonly text: string;
  readonly levels: readonly Template[];
  /** Whether a variable stands in it twice. */
  readonly repeats: boolean;
}

/** Client IDs: text with variables, and at most one `*` outside of them. */
export interface ClientIdPattern {
  /** As it was written. */
  readonly text: string;
  readonly before: Template;
  /** What must follow the `*`; undefined when there is none. */
  readonly after: Template | undefined;
}

/** @param text a well-formed filter; no variable in it has a `/` in its name */
export function parseTopicPattern(text: string): TopicPattern {
  return topicPattern(text, text.split('/').map(parseTemplate));
}

export function topicPattern(text: string, levels: readonly Template[]): TopicPattern {
  const variables = levels.flatMap(variablesOf);
  return { text, levels, repeats: new Set(variables).size < variables.length };
}

/** Undefined when there is more than one `*`. */
export function parseClientIdPattern(text: string): ClientIdPattern | undefined {
  const [before = '', after, ...more] = text.split('*');
  if (more.length > 0) return undefined;
  return { text, before: parseTemplate(before), after: after === undefined ? undefined : parseTemplate(after) };
}

/** The names of all variables in it. */
export function variablesIn({ before, after }: ClientIdPattern): string[] {
  return [...variablesOf(before), ...(after === undefined ? [] : variablesOf(after))];
}

/**
 * What one level of a topic pattern can be for this subject. A value that begins with `$` must not lead into a tree
 * that its writer did not name.
 */
export function bindLevel(level: Template, isFirst: boolean, alone: boolean, subject: Subject): readonly string[] {
  const bound = bindTemplate(level, subject, alone);
  return isFirst && !level[0]?.startsWith('$') ? bound.filter((text) => !text.startsWith('$')) : bound;
}

/** The filters that a pattern becomes for this subject; none when it can match nothing. */
export function bindTopic({ levels, repeats }: TopicPattern, subject: Subject): string[] {
  let filters: string[] = [];
  for (const [index, level] of levels.entries()) {
    const bound = bindLevel(level, index === 0, repeats, subject);
    filters = index === 0 ? [...bound] : filters.flatMap((filter) => bound.map((text) => `${filter}/${text}`));
  }
  return filters;
}

/** What a pattern of client IDs becomes for this subject; nothing when it can match none. */
export function bindClientId(pattern: ClientIdPattern, subject: Subject): TextPattern[] {
  const variables = variablesIn(pattern);
  const alone = new Set(variables).size < variables.length;
  const befores = bindTemplate(pattern.before, subject, alone);
  if (pattern.after === undefined) return befores.map((before) => ({ before, after: undefined }));
  // A `*` whose end cannot be bound must not turn into one without an end.
  const afters = bindTemplate(pattern.after, subject, alone);
  return befores.flatMap((before) => afters.map((after) => ({ before, after })));
}

/** Whether the client may call itself so, by this pattern. */
export function clientIdMatches(pattern: ClientIdPattern, subject: Subject, clientId: string): boolean {
  return bindClientId(pattern, subject).some((bound) => matchesText(bound, clientId));
}
