import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { makeSocketsAlike } from '../../dist/transport/alike-sockets.js';

setFlagsFromString('--allow-natives-syntax');
const areOfOneShape = new Function('one', 'other', 'return %HaveSameMap(one, other)') as (
  one: object,
  other: object,
) => boolean;

/** So many, of which the second half comes when V8 has learnt what it will. */
const many = 200;

/** What a socket makes of its options: as the constructor of streams gets them from it. */
function optionsOf(make: () => Socket): object {
  const stream = createRequire(import.meta.url)('node:stream') as { Duplex: typeof Duplex };
  const original = stream.Duplex;
  let seen: object = {};
  stream.Duplex = new Proxy(original, {
    apply(target, self, [options]: [object]) {
      seen = options;
      return Reflect.apply(target as unknown as () => void, self, [options]);
    },
  });
  make();
  stream.Duplex = original;
  return seen;
}

describe('The options of sockets', () => {
  it('are of one shape, however many there are', () => {
    makeSocketsAlike();
    const all = Array.from({ length: many }, () =>
      optionsOf(() => new Socket({ allowHalfOpen: true, readable: true })),
    );
    const [first, ...others] = all.slice(many / 2) as [object, ...object[]];
    for (const options of others) assert.ok(areOfOneShape(options, first));
  });
});
