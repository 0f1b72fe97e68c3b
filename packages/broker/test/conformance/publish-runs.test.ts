import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { encode, type IncomingPublish, PacketType, Parser } from '@moat/codec';
import fc from 'fast-check';
import { connected, readPacket, startBroker } from '../support/broker.js';
import { nameOf, puback, pubcomp, pubrec, pubrel, stored, versions } from '../support/clients.js';
import { subscribe, type Version } from '../support/packets.js';
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
const sent: fc.Arbitrary<Sent> = fc.record({
  level: fc.oneof({ weight: 9, arbitrary: fc.constant('a') }, fc.constantFrom('b', 'denied', 'secret')),
  length: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 4, max: 60 }) }, fc.constantFrom(110, 130, 16_384)),
  qos: fc.oneof({ weight: 12, arbitrary: fc.constant(1 as const) }, fc.constantFrom(0 as const, 2 as const)),
  dup: fc.oneof({ weight: 12, arbitrary: fc.constant(false) }, fc.constant(true)),
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

/** Each message in bytes, one of QoS 2 with its PUBREL, and how many answers it gets. */
function packetsOf(version: Version, prefix: string, all: readonly Sent[]): { bytes: Buffer; answers: number }[] {
  return [...all, { level: 'a', length: last.length, qos: 1, dup: false } as const].map(
    ({ level, length, qos, dup }, index) => {
      const payload = Buffer.from(index === all.length ? last : `${index}`.padEnd(length, '.'));
      const packetId = qos === 0 ? 0 : 1_000 - index;
      const topic = `${prefix}/${level}`;
      const packet = { type: PacketType.PUBLISH, topic, payload, qos, retain: false, dup: dup && qos > 0, packetId };
      const bytes = Buffer.from(encode(packet, version));
      const release = Buffer.from(qos === 2 ? pubrel(packetId) : '', 'hex');
      return { bytes: Buffer.concat([bytes, release]), answers: qos };
    },
  );
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
  together: boolean,
): Promise<string[][]> {
  const prefix = `s${++scenes}`;
  const clients = await Promise.all(cast.map((each, index) => join(prefix, `${prefix}-${index}`, each)));
  const publisher = await connected(port, version);
  const packets = packetsOf(version, prefix, all);
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
        fc.asyncProperty(fc.boolean(), fc.array(sent, { minLength: 1, maxLength: 25 }), async (isStored, all) => {
          const cast = receivers.filter((each) => isStored || each.isStored !== true);
          assert.deepEqual(await play(version, cast, all, true), await play(version, cast, all, false));
        }),
        { numRuns: 30 },
      );
    });
  });
}
