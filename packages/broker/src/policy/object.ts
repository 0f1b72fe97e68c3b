import type { Subject } from './subject.js';
import { bindTemplate, parseTemplate, type Template } from './template.js';
import { matchesText } from './text-pattern.js';

/** A topic filter whose levels may hold variables. */
export interface TopicPattern {
  /** As it was written. */
  readonly text: string;
  readonly levels: readonly Template[];
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
  const levels = text.split('/').map(parseTemplate);
  return { text, levels };
}

/** Undefined when there is more than one `*`. */
export function parseClientIdPattern(text: string): ClientIdPattern | undefined {
  const [before = '', after, ...more] = text.split('*');
  if (more.length > 0) return undefined;
  return { text, before: parseTemplate(before), after: after === undefined ? undefined : parseTemplate(after) };
}

/**
 * One level of a topic pattern for this subject, or undefined when it can match nothing. A value that begins with
 * `$` must not lead into a tree that its writer did not name.
 */
export function bindLevel(level: Template, isFirst: boolean, subject: Subject): string | undefined {
  const bound = bindTemplate(level, subject);
  return isFirst && bound?.startsWith('$') && !level[0]?.startsWith('$') ? undefined : bound;
}

/** Whether the client may call itself so, by this pattern. */
export function clientIdMatches(pattern: ClientIdPattern, subject: Subject, clientId: string): boolean {
  const before = bindTemplate(pattern.before, subject);
  const after = pattern.after && bindTemplate(pattern.after, subject);
  // A `*` whose end cannot be bound must not turn into one without an end.
  if (before === undefined || (pattern.after !== undefined && after === undefined)) return false;
  return matchesText({ before, after }, clientId);
}
