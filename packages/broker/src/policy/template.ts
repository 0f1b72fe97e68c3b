import { certificateFields, type Subject, valuesOf } from './facts.js';

/** What a rule can say about its subject without naming it; a claim is `claims.` and its name. */
export const variableNames: readonly string[] = [
  'username',
  'clientid',
  ...certificateFields.map((field) => `cert.${field}`),
  'claims.NAME',
];

/** More values of one variable than any client needs: beyond, it matches nothing. */
const maxValues = 16;

export function isVariable(name: string): boolean {
  return /^claims\.[^${}/+#]+$/.test(name) || (name !== 'claims.NAME' && variableNames.includes(name));
}

/** Text with variables in it, such as `room-${clientid}`: every odd part names a variable. */
export type Template = readonly string[];

/** Splits text at its variables, known or not. */
export function parseTemplate(text: string): Template {
  return text.split(/\$\{([^}]*)\}/);
}

/** The names of the variables in a template. */
export function variablesOf(template: Template): string[] {
  return template.filter((_, index) => index % 2 === 1);
}

/** Why a value cannot stand in a pattern, or undefined: it could give the text another meaning than its writer saw. */
export function valueProblem(value: string): string | undefined {
  if (value === '') return 'is empty';
  const [found] = /[/+#\p{Cc}]/u.exec(value) ?? [];
  if (found === undefined) return undefined;
  return /\p{Cc}/u.test(found) ? 'holds a control character' : `holds ${found}`;
}

/** The values of a variable that may be put in; none when there are too many. */
function usableValues(subject: Subject, variable: string): readonly string[] {
  const values = valuesOf(subject, variable);
  if (values.length > maxValues) return [];
  return values.filter((value) => valueProblem(value) === undefined);
}

/** Why a variable of this subject matches nothing although it has a value; undefined when there is nothing to tell. */
export function variableProblem(subject: Subject, variable: string): string | undefined {
  const values = valuesOf(subject, variable);
  if (values.length > maxValues) return `\${${variable}} has ${values.length} values, more than ${maxValues}`;
  for (const value of values) {
    const problem = valueProblem(value);
    if (problem !== undefined && value !== '') return `the value of \${${variable}} ${problem}`;
  }
  return undefined;
}

/**
 * Puts the subject's values in: every text that this can become, by each value of a variable that has several. None,
 * which matches nothing, when a value is missing or cannot be used.
 * @param alone whether a variable with several values counts as unusable: it stands twice in one pattern, and two of its
 *   values must not be mixed
 */
export function bindTemplate(template: Template, subject: Subject, alone = false): readonly string[] {
  let texts: string[] = [template[0] ?? ''];
  for (let index = 1; index < template.length; index += 2) {
    const values = usableValues(subject, template[index] ?? '');
    if (values.length === 0 || (alone && values.length > 1)) return [];
    const literal = template[index + 1] ?? '';
    texts = texts.flatMap((text) => values.map((value) => text + value + literal));
    if (texts.length > maxValues * maxValues) return [];
  }
  return texts;
}
