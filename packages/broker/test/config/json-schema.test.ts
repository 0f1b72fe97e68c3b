import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configurationJsonSchema } from '../../dist/config/json-schema.js';
import { limitTable } from '../../dist/config/profiles.js';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly additionalProperties?: boolean;
}

function* keysOf(schema: Schema, path = ''): Generator<[path: string, schema: Schema]> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    yield [`${path}${name}`, property];
    yield* keysOf(property, `${path}${name}.`);
  }
  for (const alternative of [...(schema.items ? [schema.items] : []), ...(schema.oneOf ?? [])]) {
    yield* keysOf(alternative, path);
  }
}

describe('the JSON Schema of the configuration', () => {
  const schema = configurationJsonSchema() as Schema;
  const keys = [...keysOf(schema)];

  it('describes every key', () => {
    const silent = keys.filter(([path, { description }]) => !description && path !== 'listeners.protocol');
    assert.deepEqual(silent, []);
  });

  it('has every limit, with its unit', () => {
    const described = new Map(keys.map(([path, { description }]) => [path, description]));
    for (const [name, { unit }] of Object.entries(limitTable)) {
      assert.ok(described.get(`limits.${name}`)?.includes(`in ${unit}`), name);
    }
  });

  it('allows no other key', () => {
    assert.equal(schema.additionalProperties, false);
    for (const [path, { properties, additionalProperties }] of keys) {
      if (properties) assert.equal(additionalProperties, false, path);
    }
  });
});
