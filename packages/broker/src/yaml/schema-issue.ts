import type { z } from 'zod';
import { closest } from './suggest.js';
import type { Path } from './yaml-source.js';

type Issue = z.core.$ZodIssue;
type JsonSchema = z.core.JSONSchema.BaseSchema;

/** One mistake in words, with the way to the value that it is about. */
export interface ExplainedIssue {
  readonly kind: 'unknownKey' | 'invalidValue';
  readonly path: Path;
  readonly message: string;
  readonly hint?: string | undefined;
}

/**
 * Says what a schema's issue means for the person who wrote the file.
 * @param data the content that was judged
 * @param schema the JSON Schema of what may be written: it knows which keys there are, and which hold secrets
 */
export function explainIssue(issue: Issue, data: unknown, schema: JsonSchema): ExplainedIssue[] {
  const { path } = issue;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key, schema));
    case 'invalid_union':
      if (issue.errors.length > 0) {
        return nearestAlternative(issue.errors).flatMap((inner) =>
          explainIssue({ ...inner, path: [...path, ...inner.path] }, data, schema),
        );
      }
      return [notOneOf(path, 'options' in issue && issue.options ? issue.options : [], data, schema)];
    case 'invalid_value':
      return [notOneOf(path, issue.values, data, schema)];
    case 'invalid_type':
      return [invalid(path, `must be ${typeName(issue.expected, schemasAt(schema, path))}`, data, schema)];
    case 'too_small':
      return [invalid(path, `must ${bound(issue.origin, 'least', Number(issue.minimum))}`, data, schema)];
    case 'too_big':
      return [invalid(path, `must ${bound(issue.origin, 'most', Number(issue.maximum))}`, data, schema)];
    default:
      return [invalid(path, issue.message, data, schema)];
  }
}

function unknownKey(path: Path, key: string, schema: JsonSchema): ExplainedIssue {
  const alternatives = schemasAt(schema, path);
  const known = new Set(alternatives.flatMap((alternative) => Object.keys(alternative.properties ?? {})));
  const where = path.length === 0 ? '' : ` in ${nameOf(path)}`;
  return {
    kind: 'unknownKey',
    path: [...path, key],
    message: `unknown key ${key}${where}`,
    hint: known.has(key) ? keyOfOthers(alternatives, key) : (meant(key, known) ?? belongsElsewhere(schema, key)),
  };
}

/** The key exists, but only for other values of the key that tells the alternatives apart. */
function keyOfOthers(alternatives: readonly JsonSchema[], key: string): string | undefined {
  const holders = alternatives.filter((alternative) => Object.hasOwn(alternative.properties ?? {}, key));
  const names = holders.flatMap(({ properties }) =>
    Object.entries(properties ?? {}).flatMap(([name, property]) =>
      typeof property === 'object' && property.const !== undefined ? [`${name}: ${String(property.const)}`] : [],
    ),
  );
  return names.length > 0 ? `it goes with ${names.join(' or ')}` : undefined;
}

function belongsElsewhere(schema: JsonSchema, key: string): string | undefined {
  for (const [name, section] of Object.entries(schema.properties ?? {})) {
    const within = typeof section === 'object' ? schemasAt(section, section.items ? [0] : []) : [];
    if (within.some(({ properties }) => Object.hasOwn(properties ?? {}, key))) return `it belongs in ${name}`;
  }
  return undefined;
}

function notOneOf(path: Path, values: readonly unknown[], data: unknown, schema: JsonSchema): ExplainedIssue {
  const given = valueAt(data, path);
  const allowed = values.map(String);
  const requirement = allowed.length === 1 ? `must be ${allowed[0]}` : `must be one of ${allowed.join(', ')}`;
  const hint = typeof given === 'string' ? meant(given, allowed) : undefined;
  return { ...invalid(path, requirement, data, schema), hint };
}

function invalid(path: Path, requirement: string, data: unknown, schema: JsonSchema): ExplainedIssue {
  const given = valueAt(data, path);
  const name = nameOf(path);
  if (given === undefined) return { kind: 'invalidValue', path, message: `${name} is missing: it ${requirement}` };
  if (given === null) {
    return { kind: 'invalidValue', path, message: `${name} has no value`, hint: 'give it one, or remove the key' };
  }
  const secret = schemasAt(schema, path).some(({ writeOnly }) => writeOnly === true);
  const shown = secret || typeof given === 'object' ? '' : `, not ${excerpt(given)}`;
  return { kind: 'invalidValue', path, message: `${name} ${requirement}${shown}` };
}

function meant(word: string, candidates: Iterable<string>): string | undefined {
  const candidate = closest(word, candidates);
  return candidate === undefined ? undefined : `did you mean ${candidate}?`;
}

/** Of several alternatives that all failed, the one that was followed furthest is what the writer meant. */
function nearestAlternative(alternatives: readonly (readonly Issue[])[]): readonly Issue[] {
  const wrongKind = (issue: Issue) => issue.code === 'invalid_type' || issue.code === 'invalid_value';
  const reach = (issues: readonly Issue[]) =>
    Math.min(...issues.map((issue) => issue.path.length + (wrongKind(issue) ? 0 : 0.5)));
  return alternatives.reduce((best, other) => (reach(other) > reach(best) ? other : best));
}

function schemasAt(schema: JsonSchema, path: Path): JsonSchema[] {
  const alternatives = [schema, ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].filter(isSchema);
  const [step, ...rest] = path;
  if (step === undefined) return alternatives;
  return alternatives
    .map(({ items, properties }) => (typeof step === 'number' ? items : properties?.[String(step)]))
    .filter(isSchema)
    .flatMap((next) => schemasAt(next, rest));
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (typeof value === 'object' && value !== null ? Reflect.get(value, step) : undefined),
    data,
  );
}

function nameOf(path: Path): string {
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return name === '' ? 'the file' : name.replace(/^\./, '');
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function bound(origin: string, side: 'least' | 'most', limit: number): string {
  if (origin === 'array') return `hold at ${side} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string') return `have at ${side} ${limit} ${limit === 1 ? 'character' : 'characters'}`;
  return `be at ${side} ${limit}`;
}

function typeName(expected: string, schemas: readonly JsonSchema[]): string {
  const names: Record<string, string> = {
    string: 'text',
    number: schemas.some(({ type }) => type === 'integer') ? 'a whole number' : 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map of keys and values',
    record: 'a map of keys and values',
  };
  return names[expected] ?? expected;
}
