// docs/reference/configuration.md, from the JSON Schema of the configuration.
import { configurationJsonSchema } from '../../packages/broker/dist/index.js';

export async function configurationPage() {
  const schema = configurationJsonSchema();
  return `# Configuration

Generated from \`moat config schema\`. Relative paths start at \`data_dir\`, which itself starts where the file stands. Keys
that are not listed here are refused with their place in the file.

${[...section('', schema, 2)].join('\n')}`;
}

/** The keys of one object as a table, then those of the objects in it. */
function* section(path, schema, depth) {
  const entries = Object.entries(schema.properties ?? {});
  const leaves = entries.filter(([, value]) => !isObject(value) && !isList(value));
  if (path !== '') yield `${'#'.repeat(depth)} ${path}\n`;
  if (schema.description && path !== '') yield `${sentence(schema.description)}\n`;
  if (leaves.length > 0) {
    yield '| key | type | default | meaning |\n| --- | --- | --- | --- |';
    for (const [name, value] of leaves) yield row(name, value);
    yield '';
  }
  for (const [name, value] of entries) {
    const inner = path === '' ? name : `${path}.${name}`;
    if (isObject(value)) yield* section(inner, value, depth);
    else if (isList(value) && value.items.properties) {
      yield* section(inner, { ...value.items, description: value.description }, depth);
    } else if (isList(value)) {
      yield `${'#'.repeat(depth)} ${inner}\n\n${sentence(value.description ?? '')}\n`;
      for (const variant of variantsOf(value))
        yield* section(`${inner}: ${variant.properties.protocol?.const ?? ''}`, variant, depth + 1);
    }
  }
}

function isObject(value) {
  return value.type === 'object' && value.properties !== undefined;
}

/** Of objects, of one kind or of several. */
function isList(value) {
  return value.type === 'array' && variantsOf(value).every((variant) => variant?.properties !== undefined);
}

function variantsOf({ items }) {
  return items?.oneOf ?? items?.anyOf ?? [items];
}

function row(name, value) {
  const cells = [`\`${name}\``, typeOf(value), defaultOf(value), sentence(value.description ?? '')];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeOf(value) {
  if (value.const !== undefined) return `\`${JSON.stringify(value.const)}\``;
  if (value.enum) return value.enum.map((item) => `\`${JSON.stringify(item)}\``).join(', ');
  const several = value.anyOf ?? value.oneOf;
  if (several) return several.map(typeOf).join(' or ');
  if (value.type === 'array') return `list of ${typeOf(value.items)}`;
  if (value.type === 'integer' || value.type === 'number') {
    const from = value.minimum ?? (value.exclusiveMinimum !== undefined ? value.exclusiveMinimum + 1 : undefined);
    const to = value.maximum === Number.MAX_SAFE_INTEGER ? undefined : value.maximum;
    return to === undefined ? `number from ${from ?? 0}` : `number ${from ?? 0} to ${to}`;
  }
  return value.type ?? 'any';
}

function defaultOf(value) {
  return value.default === undefined ? '' : `\`${JSON.stringify(value.default)}\``;
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
