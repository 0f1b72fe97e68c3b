/** Text with at most one `*`, which stands for any run of characters, none included. */
export interface TextPattern {
  readonly before: string;
  /** What must follow the `*`; undefined when there is none, and the text must be `before`. */
  readonly after: string | undefined;
}

/** Undefined when there is more than one `*`. */
export function parseTextPattern(text: string): TextPattern | undefined {
  const [before = '', after, ...more] = text.split('*');
  return more.length > 0 ? undefined : { before, after };
}

/** Just this text, whatever stands in it. */
export function exactly(text: string): TextPattern {
  return { before: text, after: undefined };
}

export function matchesText({ before, after }: TextPattern, text: string): boolean {
  if (after === undefined) return text === before;
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}

/** A pattern of which every text matches both; undefined when there is no text that does. */
export function commonPattern(one: TextPattern, other: TextPattern): TextPattern | undefined {
  if (one.after === undefined) return matchesText(other, one.before) ? one : undefined;
  if (other.after === undefined) return matchesText(one, other.before) ? other : undefined;
  const [start, end] = [longer(one.before, other.before), longer(one.after, other.after)];
  const isCommon = start.startsWith(one.before) && start.startsWith(other.before);
  return isCommon && end.endsWith(one.after) && end.endsWith(other.after) ? { before: start, after: end } : undefined;
}

function longer(one: string, other: string): string {
  return one.length < other.length ? other : one;
}

/** As it would be written. */
export function writePattern({ before, after }: TextPattern): string {
  return after === undefined ? before : `${before}*${after}`;
}
