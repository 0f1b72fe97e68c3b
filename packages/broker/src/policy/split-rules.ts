/** Some of the rules of a policy, as text by itself. */
interface RulesPart {
  readonly text: string;
  /** Lines of the whole before it. */
  readonly linesBefore: number;
}

/** A policy in parts: everything but its rules, which are empty there, and its rules in their order. */
export interface SplitPolicy {
  readonly head: string;
  readonly rules: readonly RulesPart[];
}

/** Characters of a part, of which the last rule may have more: read in a millisecond or two. */
const partSize = 2_048;

/**
 * Splits a policy between its rules, by their indentation: whatever is deeper than the dash of a rule belongs to it (YAML
 * 1.2 §8.2.1). Undefined where that is not to be seen from the lines alone. What is no YAML may be split anywhere; and a part
 * does not know the anchors of another, so that it cannot be read.
 */
export function splitRules(text: string): SplitPolicy | undefined {
  const key = /^rules:[ ]*(?:#.*)?\r?\n/m.exec(text);
  // A directive is about all of a document; a tab is no indentation.
  if (key === null || /^(?:%|[ ]*\t)/m.test(text)) return undefined;
  const start = key.index + key[0].length;
  const indentation = /^(?:[ ]*(?:#.*)?\r?\n)*([ ]*)-[ \r\n]/.exec(text.slice(start))?.[1];
  if (indentation === undefined) return undefined;
  const { parts, end } = partsOf(text, start, indentation.length);
  const lines = text.slice(start, end).replace(/[^\n]+/g, '');
  return { head: `${text.slice(0, key.index)}rules: []\n${lines}${text.slice(end)}`, rules: parts };
}

function partsOf(text: string, start: number, indentation: number): { parts: RulesPart[]; end: number } {
  const parts: RulesPart[] = [];
  let begun = start;
  let line = linesIn(text.slice(0, start));
  let linesBefore = line;
  let at = start;
  const close = (): void => {
    parts.push({ text: text.slice(begun, at), linesBefore });
    begun = at;
    linesBefore = line;
  };
  while (at < text.length) {
    const column = indentationAt(text, at);
    const first = text[at + column];
    const isBlank = first === undefined || first === '\n' || first === '\r' || first === '#';
    if (!isBlank && column <= indentation) {
      const isRule = column === indentation && first === '-' && /[ \r\n]/.test(text[at + column + 1] ?? '\n');
      if (!isRule) break;
      if (at - begun >= partSize) close();
    }
    const next = text.indexOf('\n', at);
    at = next < 0 ? text.length : next + 1;
    line++;
  }
  if (at > begun) close();
  return { parts, end: at };
}

function indentationAt(text: string, start: number): number {
  let at = start;
  while (text.charCodeAt(at) === 0x20) at++;
  return at - start;
}

function linesIn(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}
