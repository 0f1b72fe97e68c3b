import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Connection } from '../../dist/connection/connection.js';
import { Connections } from '../../dist/connection/connections.js';

test('All connections are what has come and not gone, however they come and go, while they are gone through as well', () => {
  const step = fc.record({
    what: fc.constantFrom('add', 'add', 'delete', 'walk'),
    at: fc.nat(),
    goes: fc.array(fc.nat()),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const connections = new Connections();
      const model = new Set<Connection>();
      const drop = (at: number): void => {
        const one = [...model][at % Math.max(1, model.size)];
        if (one === undefined) return;
        connections.delete(one);
        connections.delete(one);
        model.delete(one);
      };
      for (const { what, at, goes } of steps) {
        if (what === 'add') {
          const one = { place: -1 } as Connection;
          connections.delete(one);
          connections.add(one);
          model.add(one);
        } else if (what === 'delete') drop(at);
        else {
          const seen: Connection[] = [];
          const before = new Set(model);
          for (const one of connections) {
            seen.push(one);
            const next = goes[seen.length];
            if (next !== undefined) drop(next);
          }
          assert.equal(new Set(seen).size, seen.length);
          for (const one of model) assert.ok(seen.includes(one), 'one that stays is missed');
          for (const one of seen) assert.ok(before.has(one));
        }
        assert.equal(connections.size, model.size);
        assert.deepEqual(new Set(connections), model);
      }
    }),
  );
});
