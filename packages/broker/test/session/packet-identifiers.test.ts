import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serialize } from 'node:v8';
import fc from 'fast-check';
import { PacketIdentifiers } from '../../dist/session/packet-identifiers.js';

describe('Packet identifiers in use', () => {
  const few = fc.integer({ min: 1, max: 24 });
  const any = fc.integer({ min: 1, max: 65_535 });
  const command = fc.oneof(
    fc.record({ set: fc.oneof(few, any), value: fc.option(fc.nat(), { nil: undefined }) }),
    fc.record({ delete: few }),
    fc.record({ get: fc.oneof(few, any) }),
  );

  it('behave as a Map does, order included', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
        const table = new PacketIdentifiers<number | undefined>();
        const model = new Map<number, number | undefined>();
        for (const each of commands) {
          if ('set' in each) {
            table.set(each.set, each.value);
            model.set(each.set, each.value);
          } else if ('delete' in each) assert.equal(table.delete(each.delete), model.delete(each.delete));
          else {
            assert.equal(table.has(each.get), model.has(each.get));
            assert.equal(table.get(each.get), model.get(each.get));
          }
          assert.equal(table.size, model.size);
        }
        assert.deepEqual(table.entries(), [...model]);
      }),
      { numRuns: 300 },
    );
  });

  it('may all be in use at once, and be freed in any order', () => {
    const table = new PacketIdentifiers<string>();
    for (let id = 1; id <= 65_535; id++) table.set(id, `${id}`);
    assert.equal(table.size, 65_535);
    for (let id = 65_535; id >= 1; id -= 2) assert.ok(table.delete(id));
    for (let id = 1; id <= 65_535; id++) assert.equal(table.get(id), id % 2 === 0 ? `${id}` : undefined);
    assert.deepEqual(table.all().slice(0, 3), ['2', '4', '6']);
  });

  it('give back the room that many took when all are free, and can be in use again', () => {
    const table = new PacketIdentifiers<string>();
    const use = (count: number): void => {
      for (let id = 1; id <= count; id++) table.set(id, `${id}`);
    };
    const free = (count: number): void => {
      for (let id = 1; id <= count; id++) assert.ok(table.delete(id));
    };
    use(65_535);
    assert.ok(serialize(table).length > 100_000);
    free(65_535);
    assert.ok(serialize(table).length < 1_000);
    use(512);
    free(512);
    const kept = serialize(table).length;
    assert.ok(kept > 3_000 && kept < 20_000, `${kept} bytes`); // who has so many again and again makes no new tables
    use(3);
    assert.deepEqual(table.all(), ['1', '2', '3']);
  });
});
