import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { encode, type IncomingPublish, PacketType, Parser } from '@moat/codec';
import fc from 'fast-check';
import { MemoryStore } from '../../dist/storage/memory.js';
import type { ReceivedRecord } from '../../dist/storage/store.js';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { nameOf, puback, pubcomp, pubrec, pubrel, stored, versions } from '../support/clients.js';
import { publish, subscribe, type Version } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

const rules = ['deny: publish\n    topics: ["+/denied"]', 'deny: receive\n    topics: ["+/secret"]'];
const files = { 'policy.yaml': `rules:\n${rules.map((rule) => `  - ${rule}\n`).join('')}` };
const { port, stop } = await startBroker({ authorization: { default: 'allow' } }, { files });
after(stop);

interface Sent {
  readonly level: string;
  readonly length: number;
  readonly qos: 0 | 1 | 2;
  readonly dup: boolean;
}

/** Mostly such as come in runs. */
const sent = (qos: fc.Arbitrary<0 | 1 | 2>): fc.Arbitrary<Sent> =>
  fc.record({
    level: fc.oneof({ weight: 12, arbitrary: fc.constant('a') }, fc.constantFrom('b', 'denied', 'secret')),
    length: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 4, max: 60 }) }, fc.constantFrom(110, 130, 16_384)),
    qos,
    dup: fc.oneof({ weight: 20, arbitrary: fc.constant(false) }, fc.constant(true)),
  });

/** Of one QoS for the most part. */
const batch: fc.Arbitrary<Sent[]> = fc.constantFrom<(1 | 2)[]>([1], [2], [1, 2]).chain((most) => {
  const qos = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<0 | 1 | 2>(...most) },
    fc.constantFrom<0 | 1 | 2>(0, 1, 2),
  );
  return fc.array(sent(qos), { minLength: 1, maxLength: 25 });
});

interface Receiver {
  readonly version: Version;
  readonly qos: 0 | 1 | 2;
  /** Of CONNECT and SUBSCRIBE. */
  readonly connect?: string;
  readonly identifier?: string;
  readonly isShared?: boolean;
  readonly isStored?: boolean;
  /** Whether messages may have to wait for its acknowledgements: those of QoS 0 pass them then. */
  readonly mayWait?: boolean;
}

/** Whoever gets the messages of a run in another way than others. */
const receivers: readonly Receiver[] = [
  ...versions.flatMap((version) => ([0, 1, 2] as const).map((qos) => ({ version, qos }))),
  ...versions.map((version) => ({ version, qos: 1, isStored: true }) as const),
  ...versions.map((version) => ({ version, qos: 1, isShared: true }) as const),
  { version: 5, qos: 1, identifier: '0b07' },
  { version: 5, qos: 1, connect: '22 0002' }, // topic alias maximum
  { version: 5, qos: 1, connect: '21 0003', mayWait: true }, // receive maximum
  { version: 5, qos: 1, connect: '27 00000078' }, // maximum packet size
];

let scenes = 0;
const last = 'last';

/** In which order the publisher's packets come. */
interface Order {
  /** Whether its packet identifiers rise. */
  readonly rises: boolean;
  /** PUBREL after each message of QoS 2, or of all of them when all are sent, in their order or turned round. */
  readonly releases: 'at once' | 'in order' | 'turned round';
}

const order: fc.Arbitrary<Order> = fc.record({
  rises: fc.boolean(),
  releases: fc.constantFrom('at once', 'in order', 'in order', 'turned round'),
});

interface Part {
  readonly bytes: Buffer;
  /** How many packets answer it. */
  readonly answers: number;
}

/** What a publisher sends, and at the end a message of QoS 1 by which everybody knows that it is. */
function packetsOf(version: Version, prefix: string, all: readonly Sent[], { rises, releases }: Order): Part[] {
  const packetOf = ({ level, length, qos, dup }: Sent, index: number): Part & { release: Part[] } => {
    const payload = Buffer.from(index === all.length ? last : `${index}`.padEnd(length, '.'));
    const packetId = qos === 0 ? 0 : rises ? 1 + index : 1_000 - index;
    const topic = `${prefix}/${level}`;
    const packet = { type: PacketType.PUBLISH, topic, payload, qos, retain: false, dup: dup && qos > 0, packetId };
    const release = qos === 2 ? [{ bytes: Buffer.from(pubrel(packetId), 'hex'), answers: 1 }] : [];
    return { bytes: Buffer.from(encode(packet, version)), answers: qos === 0 ? 0 : 1, release };
  };
  const published = all.map(packetOf);
  const end = packetOf({ level: 'a', length: last.length, qos: 1, dup: false }, all.length);
  if (releases === 'at once') return [...published.flatMap((each) => [each, ...each.release]), end];
  const released = published.flatMap(({ release }) => release);
  return [...published, ...(releases === 'in order' ? released : released.reverse()), end];
}

async function join(
  prefix: string,
  clientId: string,
  { version, qos, connect, identifier, ...kind }: Receiver,
): Promise<RawClient> {
  const filter = kind.isShared ? `$share/${clientId}/${prefix}/#` : `${prefix}/#`;
  const fields = kind.isStored ? stored(version, clientId) : {};
  const properties = connect === undefined ? {} : { properties: connect.replaceAll(' ', '') };
  const client = await connected(port, version, { ...fields, ...properties });
  client.send(subscribe(version, 1, { [filter]: qos }, identifier));
  assert.match(await readPacket(client), /^90/);
  return client;
}

/** All that a client is sent up to the last message, acknowledged as it comes; without the prefix of its topics. */
async function take(client: RawClient, { version, mayWait }: Receiver, prefix: string): Promise<string[]> {
  const taken: string[] = [];
  let isLast = false;
  const publish = ({ topic, payload, qos, dup, retain, packetId, properties }: IncomingPublish): void => {
    isLast = payload.length === last.length && Buffer.from(payload).toString() === last;
    const text = `${Buffer.from(payload).toString().replaceAll('.', '')}:${payload.length}`;
    const flags = `${qos}${dup ? ' dup' : ''}${retain ? ' retain' : ''}`;
    if (qos > 0 || !mayWait)
      taken.push(`${topic.replace(prefix, '')} ${text} @${packetId} ${flags} ${JSON.stringify(properties)}`);
    if (qos > 0) client.send(qos === 1 ? puback(packetId) : pubrec(packetId));
  };
  const parser = new Parser(
    { publish, packet: (packet) => packet.type === PacketType.PUBREL && client.send(pubcomp(packet.packetId)) },
    { role: 'client', version, maximumPacketSize: 1_000_000, maximumUserProperties: 0 },
  );
  while (!isLast) parser.feed(Buffer.from(await readPacket(client), 'hex'));
  client.end();
  return taken;
}

/** What everybody got: the publisher, then the receivers. */
async function play(
  version: Version,
  cast: readonly Receiver[],
  all: readonly Sent[],
  order: Order,
  together: boolean,
): Promise<string[][]> {
  const prefix = `s${++scenes}`;
  const clients = await Promise.all(cast.map((each, index) => join(prefix, `${prefix}-${index}`, each)));
  const publisher = await connected(port, version);
  const packets = packetsOf(version, prefix, all, order);
  const answers: string[] = [];
  if (together) publisher.send(Buffer.concat(packets.map(({ bytes }) => bytes)));
  for (const packet of packets) {
    if (!together) publisher.send(packet.bytes);
    for (let left = packet.answers; left > 0; left--) answers.push(await readPacket(publisher));
  }
  publisher.end();
  const taken = cast.map((each, index) => take(clients[index] as RawClient, each, prefix));
  return [answers, ...(await Promise.all(taken))];
}

for (const version of versions) {
  describe(`Messages of ${nameOf(version)} that come in one read`, () => {
    it('fare as they do one by one, whoever gets them [MQTT-4.6.0-2] [MQTT-4.6.0-5] [MQTT-4.6.0-6]', async () => {
      await fc.assert(
        fc.asyncProperty(fc.boolean(), batch, order, async (isStored, all, order) => {
          const cast = receivers.filter((each) => isStored || each.isStored !== true);
          const together = await play(version, cast, all, order, true);
          assert.deepEqual(together, await play(version, cast, all, order, false));
        }),
        { numRuns: 30 },
      );
    });
  });
}

class WatchedStore extends MemoryStore {
  readonly received: number[] = [];

  override putReceived(clientId: string, received: ReceivedRecord): void {
    this.received.push(received.packetId);
    super.putReceived(clientId, received);
  }
}

describe('A run of QoS 2', () => {
  it('is in the store message by message where the session of its publisher is [MQTT-4.3.3-8]', async () => {
    const store = new WatchedStore();
    const watched = await startBroker({}, { store });
    try {
      const publisher = await connected(watched.port, 4, stored(4, 'p'));
      publisher.send([1, 2, 3].map((packetId) => publish(4, 't', 'x', { qos: 2, packetId })).join(''));
      for (const id of [1, 2, 3]) assert.equal(await readPacket(publisher), pubrec(id));
      assert.deepEqual(store.received, [1, 2, 3]);
      publisher.end();
    } finally {
      await watched.stop();
    }
  });
});
