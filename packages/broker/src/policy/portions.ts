import type { PolicyText, Rule } from './rule.js';

/** Rules in the order of the file, some at a time, and in the end the rest of the policy; `again` where they begin anew. */
export type Portions = Generator<readonly Rule[] | 'again', Omit<PolicyText, 'rules'>>;

/** All of it. */
export function collected(portions: Portions): PolicyText {
  const rules: Rule[] = [];
  for (;;) {
    const { done, value } = portions.next();
    if (done) return { rules, ...value };
    if (value === 'again') rules.length = 0;
    else for (const rule of value) rules.push(rule);
  }
}
