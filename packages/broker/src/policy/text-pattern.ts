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

/** As it would be written. */
export function writePattern({ before, after }: TextPattern): string {
  return after === undefined ? before : `${before}*${after}`;
}
