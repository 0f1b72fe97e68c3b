import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encode, type IncomingPublish, PacketType, Parser } from '@moat/codec';
import fc from 'fast-check';
import { Buffered } from '../../dist/guard/buffered.js';
import { Message } from '../../dist/routing/message.js';
import { Incoming } from '../../dist/session/incoming.js';
import { KeptMessages } from '../../dist/session/kept-messages.js';

type Held = ReadonlyMap<number, string>;

/** Has messages of QoS 2 arrive, by packet identifier; `then` looks at them, or at their run, while the bytes last. */
function arrive(all: Held, then: (message: Message) => void): void {
  const limits = { role: 'server', maximumPacketSize: 1_000_000, maximumUserProperties: 0 } as const;
  const publish = (packet: IncomingPublish): void => then(Message.arrived(packet, packet.topic, 'publisher', 0));
  const parser = new Parser({ publish, packet() {} }, limits);
  parser.feed(encode({ type: PacketType.CONNECT, version: 4, cleanStart: true, keepAlive: 0, clientId: 'c' }, 4));
  const packets = [...all].map(([packetId, payload]) => {
    const message = { topic: 't', payload: Buffer.from(payload), qos: 2, retain: false, dup: false } as const;
    return encode({ type: PacketType.PUBLISH, ...message, packetId }, 4);
  });
  const bytes = Buffer.concat(packets);
  parser.feed(bytes);
  bytes.fill(0xff);
}

const textOf = (message: Message): string => Buffer.from(message.payload).toString();
const textsOf = (run: Message | undefined): string[] => [...(run?.each() ?? [])].map(textOf);

interface Desk {
  readonly buffered: Buffered;
  readonly incoming: Incoming;
  /** Holds what it may as one, else one by one. */
  take(all: Held): 'as one' | 'one by one';
}

function desk(maximumBytes = 1_000_000, mostBuffered = 1_000_000): Desk {
  const buffered = new Buffered({ max_buffered_bytes: mostBuffered });
  const incoming = new Incoming(maximumBytes, new KeptMessages(buffered));
  const take = (all: Held): 'as one' | 'one by one' => {
    let how: 'as one' | 'one by one' = 'one by one';
    arrive(all, (message) => {
      const isRun = message.count > 1 && incoming.mayHoldRun(message.packetIds, message.end - message.start);
      if (isRun) {
        incoming.holdRun(message);
        how = 'as one';
        return;
      }
      const ids = message.count > 1 ? message.packetIds : [...all.keys()];
      for (const [index, single] of [...message.each()].entries()) incoming.hold(ids[index] ?? 0, single);
    });
    return how;
  };
  return { buffered, incoming, take };
}

const held = (...ids: readonly number[]): Held => new Map(ids.map((id) => [id, `payload ${id}`]));

describe('A run of QoS 2 that awaits PUBREL', () => {
  it('is handed over as one to PUBREL of all its messages in their order, with others behind it', () => {
    const { incoming, take, buffered } = desk();
    assert.equal(take(held(3, 5, 9)), 'as one');
    assert.equal(take(held(10, 12)), 'as one');
    assert.equal(incoming.size, 5);
    assert.deepEqual(
      [2, 4, 6, 8, 11, 13].map((id) => incoming.has(id)),
      new Array(6).fill(false),
    );
    const released = [3, 5, 9, 10, 12];
    assert.deepEqual(textsOf(incoming.releaseRun(released, 0)), ['payload 3', 'payload 5', 'payload 9']);
    assert.deepEqual(textsOf(incoming.releaseRun(released, 3)), ['payload 10', 'payload 12']);
    assert.equal(incoming.size, 0);
    assert.equal(buffered.bytes, 0);
  });

  it('comes apart where PUBREL comes in another order, or of some', () => {
    const { incoming, take } = desk();
    take(held(1, 2, 3));
    assert.equal(incoming.releaseRun([1, 3, 2], 0), undefined);
    assert.equal(incoming.releaseRun([2, 3], 0), undefined);
    assert.equal(incoming.releaseRun([1, 2], 0), undefined);
    assert.equal(incoming.releaseRun([4], 0), undefined);
    const second = incoming.release(2);
    assert.equal(second && textOf(second), 'payload 2');
    assert.equal(incoming.release(2), undefined);
    assert.equal(incoming.releaseRun([1, 2, 3], 0), undefined);
    assert.deepEqual([incoming.has(1), incoming.has(2), incoming.has(3)], [true, false, true]);
  });

  it('is not held as one where an identifier is in use, comes twice or does not rise, where they are many, or large', () => {
    const rising = Array.from({ length: 65 }, (_, index) => index + 1);
    assert.equal(desk().take(held(...rising.slice(1))), 'as one');
    assert.equal(desk().take(held(...rising)), 'one by one');
    assert.equal(desk().take(held(2, 1)), 'one by one');
    assert.equal(desk(30).take(held(1, 2)), 'one by one');
    assert.equal(desk(1_000_000, 20).take(held(1, 2)), 'one by one');
    const { incoming, take } = desk();
    take(held(2));
    assert.equal(take(held(1, 2, 3)), 'one by one');
    assert.equal(incoming.mayHoldRun([7, 7], 10), false);
  });

  it('is delivered message by message, behind those before it, where another finds no room', () => {
    const { incoming, take, buffered } = desk(200);
    assert.equal(take(held(1, 2)), 'as one');
    let due: string[] = [];
    arrive(new Map([[3, 'x'.repeat(300)]]), (message) => {
      due = [...incoming.hold(3, message).values()].map((each) => textOf(each).slice(0, 9));
    });
    assert.deepEqual(due, ['payload 1', 'payload 2', 'xxxxxxxxx']);
    assert.equal(buffered.bytes, 0);
    assert.equal(incoming.size, 3);
  });

  it('is delivered before what came after it, and what is more than 64 has memory of its own', () => {
    const { incoming, take } = desk(3_000);
    const ids = Array.from({ length: 66 }, (_, index) => 66 - index);
    for (const id of ids) take(held(id));
    const memory = ids.map((id) => incoming.get(id)?.bytes.buffer.byteLength ?? 0);
    assert.ok(memory.slice(0, 64).every((bytes) => bytes > 100));
    assert.ok(memory.slice(64).every((bytes) => bytes < 30));
    let due: number[] = [];
    arrive(new Map([[100, 'x'.repeat(3_000)]]), (message) => {
      due = [...incoming.hold(100, message).keys()];
    });
    assert.deepEqual(due, [...ids, 100]);
  });

  it('is what its messages are one by one, whatever comes and goes', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
    const step = fc.record({
      kind: fc.constantFrom('take', 'take', 'release', 'releaseRun'),
      ids: fc.oneof(
        ids,
        ids.map((all) => [...all].sort((a, b) => a - b)),
      ),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.constantFrom(1_000_000, 120), (steps, maximumBytes) => {
        const { incoming, take, buffered } = desk(maximumBytes);
        const expected = new Map<number, string>();
        let count = 0;
        for (const { kind, ids } of steps) {
          if (kind === 'take') {
            const fresh = ids.filter((id) => !incoming.has(id));
            const all = new Map(fresh.map((id) => [id, `${++count}`]));
            take(all);
            for (const [id, text] of all) expected.set(id, text);
          } else if (kind === 'release') {
            for (const id of ids) {
              const message = incoming.release(id);
              if (message !== undefined) assert.equal(textOf(message), expected.get(id));
              expected.delete(id);
            }
          } else {
            const run = incoming.releaseRun(ids, 0);
            for (const [index, text] of textsOf(run).entries()) {
              assert.equal(text, expected.get(ids[index] ?? 0));
              expected.delete(ids[index] ?? 0);
            }
          }
          assert.equal(incoming.size, expected.size);
          for (const id of expected.keys()) assert.equal(incoming.has(id), true);
        }
        incoming.end();
        assert.equal(buffered.bytes, 0);
      }),
    );
  });
});
