// docs/reference/policy.md, from the JSON Schema of policy.yaml.
import { policyJsonSchema, variableNames } from '../../packages/broker/dist/index.js';

export async function policyPage() {
  const schema = policyJsonSchema();
  const rule = schema.properties.rules.items.properties;
  const { subject, when } = rule;
  const { cert } = subject.properties;
  return `# Policy

Every key of \`policy.yaml\`, generated from the code that reads it. Keys that are not listed here are refused with their
place in the file. The [guide](../guides/authorization.md) says how to use them.

Where a list is possible, a single entry may be written without one. All fields of a subject must hold, each by any of its
entries; so must all of \`when\`.

## The file

${table(schema.properties)}

A client is in a group if the policy lists it there, or if its token names the group; one that only tokens name is listed
with \`[]\`. A role is a list of rules; one of them may give other roles.

## A rule

In \`rules\` and in a role. It has one of \`allow\`, \`deny\` and \`roles\`.

${table(rule)}

## subject

${table(subject.properties, ['cert'])}

## subject.cert

${table(cert.properties)}

## when

${table(when.properties)}

| condition | known of |
| --- | --- |
| \`qos\` | publish, subscribe |
| \`retain\`, \`min_payload\`, \`max_payload\`, \`sealed\` | publish |
| \`tls\`, \`hours\` | every action |

What is not known (a seal that nothing verifies) keeps a rule from allowing, and a rule that denies applies.

## Variables

In \`topics\` and \`clientids\`: ${variableNames.map((name) => `\`\${${name}}\``).join(', ')}, where NAME is a claim. With dots it leads
into claims: \`\${claims.realm.tenant}\`. If there are several values (names in a certificate, a claim that is a list), each
counts; such a variable may stand in a pattern once. A value that is empty, or holds \`/\`, \`+\`, \`#\` or a control character,
matches nothing and is told as \`policy.unusable_value\`; so does a variable with more than 16 values. A first level that is a
variable never leads into a tree that begins with \`$\`.
`;
}

function table(properties, left = []) {
  const rows = Object.entries(properties)
    .filter(([name]) => !left.includes(name))
    .map(([name, value]) => `| \`${name}\` | ${type(value)} | ${value.description ?? ''} |`);
  return ['| key | value | meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

/** A field that may be one entry or several is told as one. */
function type(value) {
  const [one] = value.anyOf ?? [];
  if (one && one.type !== 'object') return `${type(one)}, or a list`;
  if (value.anyOf) return 'a name or a subject, or a list';
  if (value.enum) return value.enum.map((each) => `\`${each}\``).join(', ');
  if (value.type === 'object') return value.additionalProperties ? 'a map by name' : 'a map';
  if (value.type === 'array') return 'a list of rules';
  return { string: 'text', boolean: 'true or false', integer: 'bytes', number: 'a number' }[value.type] ?? 'text';
}
