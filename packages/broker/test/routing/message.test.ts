import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encode, type IncomingPublish, PacketType, Parser, type PublishProperties, type QoS } from '@moat/codec';
import fc from 'fast-check';
import { type Frame, Message } from '../../dist/routing/message.js';
import { topicName } from './naive.js';

interface Publish {
  readonly version: 4 | 5;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: PublishProperties;
}

const limits = { maximumPacketSize: 1_000_000, maximumUserProperties: 100 };

const bytesOf = ({ version, topic, payload, qos, retain, dup, properties }: Publish, packetId = 77): Uint8Array =>
  encode(
    {
      type: PacketType.PUBLISH,
      topic,
      payload,
      qos,
      retain,
      dup: dup && qos > 0,
      packetId: qos === 0 ? 0 : packetId,
      ...(version === 5 && Object.keys(properties).length > 0 ? { properties } : {}),
    },
    version,
  );

/** What a parser makes of the bytes, as messages; `then` looks at them while their bytes last. */
function arrive(version: 4 | 5, bytes: Uint8Array, then: (message: Message) => void, now = 0): void {
  const connect = encode({ type: PacketType.CONNECT, version, cleanStart: true, keepAlive: 0, clientId: 'c' }, version);
  const parser = new Parser(
    { publish: (packet) => then(Message.arrived(packet, packet.topic, 'publisher', now)), packet() {} },
    { role: 'server', ...limits },
  );
  parser.feed(connect);
  parser.feed(bytes);
}

interface Read {
  readonly topic: string;
  readonly payload: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: PublishProperties;
}

/** The packets of a frame, as a client of that version reads them. */
function read(v5: boolean, { bytes, start, end }: Frame): Read[] {
  const found: Read[] = [];
  const take = (packet: IncomingPublish): void => {
    for (const { topic, payload, qos, retain, dup, properties = {} } of packet.each())
      found.push({
        topic,
        payload: Buffer.from(payload).toString('hex'),
        qos,
        retain,
        dup,
        properties: { ...properties },
      });
  };
  new Parser({ publish: take, packet() {} }, { role: 'client', version: v5 ? 5 : 4, ...limits }).feed(
    bytes,
    start,
    end,
  );
  return found;
}

const expected = ({ topic, payload, properties }: Publish, v5: boolean, qos: QoS): Read => {
  const { messageExpiryInterval: _expiry, ...forwarded } = properties;
  return {
    topic,
    payload: Buffer.from(payload).toString('hex'),
    qos,
    retain: false,
    dup: false,
    properties: v5 ? forwarded : {},
  };
};

const text = fc.string({ maxLength: 8 });
const properties: fc.Arbitrary<PublishProperties> = fc.record(
  {
    payloadFormatIndicator: fc.constantFrom(0, 1),
    contentType: text,
    responseTopic: topicName,
    correlationData: fc.uint8Array({ maxLength: 8 }),
    userProperties: fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 4 }),
  },
  { requiredKeys: [] },
);

const publish: fc.Arbitrary<Publish> = fc.record({
  version: fc.constantFrom(4, 5),
  topic: topicName,
  payload: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(new Uint8Array(3_000).fill(7))),
  qos: fc.constantFrom(0, 1, 2),
  retain: fc.boolean(),
  dup: fc.boolean(),
  properties,
});

const everyReceiver = [false, true].flatMap((v5) => ([0, 1, 2] as const).map((qos) => ({ v5, qos })));

const ways = fc.constantFrom('for long', 'a while', 'longer');

describe('A message', () => {
  it('reaches a receiver of any version and QoS as it was sent, DUP and RETAIN aside [MQTT-3.3.1-3] [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-18] [MQTT-3.3.2-20]', () => {
    fc.assert(
      fc.property(publish, (sent) => {
        const properties = sent.version === 5 ? sent.properties : {};
        arrive(sent.version, bytesOf(sent), (message) => {
          for (const { v5, qos } of everyReceiver)
            assert.deepEqual(read(v5, message.frame(v5, qos)), [expected({ ...sent, properties }, v5, qos)]);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('has its packet identifier where it says, in every packet but those of QoS 0', () => {
    fc.assert(
      fc.property(publish, (sent) => {
        arrive(sent.version, bytesOf(sent), (message) => {
          for (const { v5, qos } of everyReceiver) {
            const { bytes, start, end, packetIdAt } = message.frame(v5, qos);
            assert.equal(packetIdAt === -1, qos === 0);
            if (qos === 0) continue;
            const own = Buffer.from(bytes.subarray(start, end));
            own.writeUInt16BE(0xabcd, packetIdAt - start);
            const [changed] = read(v5, { bytes: own, start: 0, end: own.length, packetIdAt });
            const [original] = read(v5, message.frame(v5, qos));
            assert.deepEqual(changed, original);
            assert.equal(own.includes(Buffer.from([0xab, 0xcd])), true);
          }
        });
      }),
    );
  });

  it('is the same after the bytes that brought it were overwritten, if it was kept', () => {
    fc.assert(
      fc.property(publish, fc.boolean(), ways, (sent, looked, way) => {
        const bytes = new Uint8Array(bytesOf(sent));
        let kept: Message | undefined;
        arrive(sent.version, bytes, (message) => {
          if (looked) for (const { v5, qos } of everyReceiver) message.frame(v5, qos);
          kept = way === 'for long' ? message.keep() : message.keepAWhile();
        });
        bytes.fill(0xff);
        if (way === 'longer') kept?.keep();
        if (way !== 'a while' && sent.payload.length > 0) assert.equal(kept?.payload.buffer.byteLength, bytes.length);
        const properties = sent.version === 5 ? sent.properties : {};
        assert.equal(Buffer.compare(kept?.payload ?? new Uint8Array(), sent.payload), 0);
        for (const { v5, qos } of everyReceiver)
          assert.deepEqual(kept && read(v5, kept.frame(v5, qos)), [expected({ ...sent, properties }, v5, qos)]);
      }),
    );
  });

  it('is kept beside others for a while only where it is small', () => {
    for (const size of [4_096, 4_097]) {
      const fields = { version: 4, topic: 't', qos: 1, retain: false, dup: false, properties: {} } as const;
      const sent = bytesOf({ ...fields, payload: new Uint8Array(size - 8) });
      assert.equal(sent.length, size);
      arrive(4, sent, (message) => {
        const { byteLength } = message.keepAWhile().payload.buffer;
        assert.equal(byteLength === size, size > 4_096);
        assert.equal(message.keepAWhile().payload.buffer.byteLength, byteLength);
      });
    }
  });

  it('comes back from the store as it was', () => {
    fc.assert(
      fc.property(publish, (sent) => {
        arrive(sent.version, bytesOf(sent), (message) => {
          const restored = Message.restored(message.keep());
          assert.equal(restored.retain, sent.retain);
          assert.equal(restored.publisher, 'publisher');
          assert.equal(restored.size, message.size);
          for (const { v5, qos } of everyReceiver)
            assert.deepEqual(read(v5, restored.frame(v5, qos)), read(v5, message.frame(v5, qos)));
        });
      }),
    );
  });

  it('is built once for all receivers of a version and QoS', () => {
    const message = Message.of('t', Buffer.from('x'));
    for (const { v5, qos } of everyReceiver) assert.equal(message.frame(v5, qos), message.frame(v5, qos));
  });

  it('is forwarded in the bytes in which it came where nothing in it changes', () => {
    const sent = bytesOf({
      version: 5,
      topic: 't',
      payload: Buffer.from('x'),
      qos: 0,
      retain: false,
      dup: false,
      properties: {},
    });
    arrive(5, sent, (message) => {
      const { bytes, start, end } = message.frame(true, 0);
      assert.equal(bytes, sent);
      assert.deepEqual([start, end], [0, sent.length]);
      assert.notEqual(message.frame(false, 0).bytes, sent);
    });
  });

  it('bears for one receiver its RETAIN flag, identifiers, alias and what is left of its expiry interval [MQTT-3.3.2-6] [MQTT-3.3.4-4]', () => {
    const now = 1_000_000;
    const fields = { topic: 't', payload: Buffer.from('x'), qos: 1, retain: true, dup: false } as const;
    const sent = bytesOf({ version: 5, ...fields, properties: { messageExpiryInterval: 10, topicAlias: 4 } });
    arrive(
      5,
      sent,
      (message) => {
        assert.equal(message.expires, true);
        assert.equal(message.expiresAt, now + 10_000);
        const special = {
          v5: true,
          qos: 1,
          retain: true,
          subscriptionIdentifiers: [3, 268_435_455],
          topicAlias: 2,
        } as const;
        const frame = message.specialFrame({ ...special, now: now + 3_500, aliasKnown: false });
        const subscriptionIdentifiers = [3, 268_435_455];
        assert.deepEqual(read(true, frame)[0]?.properties, {
          messageExpiryInterval: 7,
          subscriptionIdentifiers,
          topicAlias: 2,
        });
        assert.deepEqual([read(true, frame)[0]?.topic, read(true, frame)[0]?.retain], ['t', true]);
        const known = message.specialFrame({ ...special, now, aliasKnown: true });
        assert.equal(read(true, known)[0]?.topic, '');
        assert.equal(read(true, known)[0]?.properties.messageExpiryInterval, 10);
        const older = message.specialFrame({ ...special, v5: false, now, topicAlias: 0, aliasKnown: false });
        assert.deepEqual(read(false, older), [
          { ...expected({ version: 4, ...fields, properties: {} }, false, 1), retain: true },
        ]);
      },
      now,
    );
  });
});

describe('A run of messages', () => {
  const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 2, maxLength: 20 });
  const run = (version: 4 | 5, topic: string, all: readonly Uint8Array[]): Uint8Array =>
    Buffer.concat(
      all.map((payload) => bytesOf({ version, topic, payload, qos: 0, retain: false, dup: false, properties: {} })),
    );

  it('of QoS 0 is one message whose packets come out one by one, in order, for every version', () => {
    fc.assert(
      fc.property(fc.constantFrom<4 | 5>(4, 5), topicName, payloads, (version, topic, all) => {
        const bytes = run(version, topic, all);
        let runs = 0;
        arrive(version, bytes, (message) => {
          runs++;
          assert.equal(message.count, all.length);
          assert.equal(message.largest, Math.max(...all.map((payload) => run(version, topic, [payload]).length)));
          for (const v5 of [false, true]) {
            const frame = message.frame(v5, 0);
            assert.equal(frame.bytes === bytes, v5 === (version === 5));
            const wanted = all.map((payload) => Buffer.from(payload).toString('hex'));
            assert.deepEqual(
              read(v5, frame).map(({ payload }) => payload),
              wanted,
            );
            const singles = [...message.each()];
            assert.deepEqual(
              singles.map(({ payload }) => Buffer.from(payload).toString('hex')),
              wanted,
            );
            for (const single of singles) assert.equal(single.count, 1);
          }
        });
        assert.equal(runs, 1);
      }),
    );
  });

  it('of QoS 1 is for every receiver what its messages are', () => {
    fc.assert(
      fc.property(fc.constantFrom<4 | 5>(4, 5), topicName, payloads, (version, topic, all) => {
        const fields = { version, topic, qos: 1, retain: false, dup: false, properties: {} } as const;
        const bytes = Buffer.concat(all.map((payload, index) => bytesOf({ ...fields, payload }, index + 1)));
        let runs = 0;
        arrive(version, bytes, (message) => {
          runs++;
          assert.equal(message.count, all.length);
          for (const v5 of [false, true]) {
            assert.equal(message.isFrameOf(v5, 1), v5 === (version === 5));
            assert.equal(message.isFrameOf(v5, 0), false);
            const wanted = all.map((payload) => expected({ ...fields, payload }, v5, 0));
            assert.deepEqual(read(v5, message.frame(v5, 0)), wanted);
          }
          const singles = [...message.each()].map((each) => each.keep());
          bytes.fill(0);
          for (const [index, single] of singles.entries()) {
            assert.equal(Buffer.compare(single.payload, all[index] ?? Buffer.alloc(0)), 0);
            for (const { v5, qos } of everyReceiver)
              assert.deepEqual(read(v5, single.frame(v5, qos)), [
                expected({ ...fields, payload: all[index] ?? new Uint8Array() }, v5, qos),
              ]);
          }
        });
        assert.equal(runs, 1);
      }),
    );
  });

  it('may be shared by reference once it is stable, whatever becomes of the read buffer', () => {
    const bytes = run(5, 't', [Buffer.from('a'), Buffer.from('b')]);
    const copy = Buffer.from(bytes);
    arrive(5, bytes, (message) => {
      const shared = message.stable(message.frame(true, 0));
      assert.equal(message.stable(message.frame(true, 0)), shared);
      bytes.fill(0);
      assert.equal(Buffer.compare(shared.bytes, copy), 0);
      const other = message.frame(false, 0);
      assert.equal(message.stable(other).bytes, other.bytes);
      assert.equal(message.stable(other), message.stable(message.frame(false, 0)));
    });
  });
});
