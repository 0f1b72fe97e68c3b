import type { Subject } from './subject.js';

/** What a rule can say about its subject without naming it, and where the value comes from. */
const variables = {
  username: ({ username }: Subject) => username,
  clientid: ({ clientId }: Subject) => clientId,
} as const;

export type Variable = keyof typeof variables;

export const variableNames = Object.keys(variables) as Variable[];

export function isVariable(name: string): name is Variable {
  return Object.hasOwn(variables, name);
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

/**
 * Puts the subject's values in. Undefined, which matches nothing, when a value is missing or empty, or holds what
 * could give the text another meaning than its writer saw: `/`, `+`, `#` or a control character.
 */
export function bindTemplate(template: Template, subject: Subject): string | undefined {
  let text = '';
  for (const [index, part] of template.entries()) {
    if (index % 2 === 0) {
      text += part;
    } else {
      const value = isVariable(part) ? variables[part](subject) : undefined;
      if (!value || /[/+#\p{Cc}]/u.test(value)) return undefined;
      text += value;
    }
  }
  return text;
}
