import { pathToFileURL } from 'node:url';
import { encode, type Packet, PacketType, Parser, type ProtocolVersion, type PublishPacket } from '@moat/codec';
import * as mqttPacket from 'mqtt-packet';

/** Packets per second of CPU, and how many times mqtt-packet's that is. */
export interface CodecRate {
  moat: number;
  mqttPacket: number;
  ratio: number;
}

export interface CodecFigures {
  version: 4 | 5;
  kind: string;
  parse: CodecRate;
  encode: CodecRate;
}

const PACKETS = 4096;
const CHUNK = 65_536;
/** The two codecs take turns, and of each the best turn counts, so that other load on the machine does not. */
const TURNS = 5;
const MICROSECONDS_PER_TURN = 120_000;

const payload = new Uint8Array(64).fill(0x78);
const topics = Array.from({ length: 256 }, (_, at) => `devices/sensor-${at}/temperature`);

type Make = (at: number) => Packet;

const publish = (at: number, fields: Partial<PublishPacket>): PublishPacket => ({
  type: PacketType.PUBLISH,
  topic: topics[at % topics.length] ?? '',
  payload,
  qos: 1,
  retain: false,
  dup: false,
  packetId: (at % 65_535) + 1,
  ...fields,
});
const oneTopic: Make = () => publish(0, { qos: 0, packetId: 0 });
const manyTopics: Make = (at) => publish(at, { qos: 0, packetId: 0 });
const acknowledged: Make = (at) => publish(at, {});
const withProperties: Make = (at) =>
  publish(at, {
    properties: {
      messageExpiryInterval: 60,
      contentType: 'text/plain',
      userProperties: [
        ['unit', 'celsius'],
        ['site', 'north'],
      ],
    },
  });
const acknowledgement: Make = (at) => ({ type: PacketType.PUBACK, packetId: (at % 65_535) + 1, reasonCode: 0 });
const kibibyte = new Uint8Array(1024).fill(0x78);
const large: Make = (at) => publish(at, { payload: kibibyte });

function kindsOf(version: 4 | 5): Record<string, Make> {
  const all = [oneTopic, manyTopics, acknowledged, acknowledgement, ...(version === 5 ? [withProperties] : [])];
  return {
    'mixed (all of the below but the large)': (at) => (all[at % all.length] ?? oneTopic)(at),
    'PUBLISH QoS 0, one topic': oneTopic,
    'PUBLISH QoS 0, 256 topics': manyTopics,
    'PUBLISH QoS 1, 256 topics': acknowledged,
    PUBACK: acknowledgement,
    ...(version === 5 ? { 'PUBLISH QoS 1, 2 user properties': withProperties } : {}),
    'PUBLISH QoS 1, 1 KiB': large,
  };
}

/** Measures parsing in chunks of 64 KiB and encoding, against mqtt-packet, in about half a minute. */
export function codecScenario(): CodecFigures[] {
  return ([4, 5] as const).flatMap((version) =>
    Object.entries(kindsOf(version)).map(([kind, make]) => measureKind(version, kind, make)),
  );
}

function measureKind(version: 4 | 5, kind: string, make: Make): CodecFigures {
  const packets = Array.from({ length: PACKETS }, (_, at) => make(at));
  const theirs = packets.map(toMqttPacket);
  const bytes = Buffer.concat(packets.map((packet) => encode(packet, version)));
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK) chunks.push(bytes.subarray(at, at + CHUNK));
  return {
    version,
    kind,
    parse: compare(ourParsing(chunks, version), theirParsing(chunks, version)),
    encode: compare(
      () => {
        for (const packet of packets) encode(packet, version);
      },
      () => {
        for (const packet of theirs) mqttPacket.generate(packet, { protocolVersion: version });
      },
    ),
  };
}

function ourParsing(chunks: readonly Buffer[], version: ProtocolVersion): () => void {
  let seen = 0;
  const receiver = {
    publish(run: { count: number }) {
      seen += run.count;
    },
    packet() {
      seen++;
    },
  };
  const limits = { maximumPacketSize: 1_048_576, maximumUserProperties: 100 };
  const parser = new Parser(receiver, { role: 'server', ...limits });
  parser.feed(encode({ type: PacketType.CONNECT, version, cleanStart: true, keepAlive: 0, clientId: 'c' }, version));
  return () => {
    seen = 0;
    for (const chunk of chunks) parser.feed(chunk);
    requireAll(seen);
  };
}

function theirParsing(chunks: readonly Buffer[], version: ProtocolVersion): () => void {
  let seen = 0;
  const parser = mqttPacket.parser({ protocolVersion: version });
  parser.on('packet', () => {
    seen++;
  });
  return () => {
    seen = 0;
    for (const chunk of chunks) parser.parse(chunk);
    requireAll(seen);
  };
}

function requireAll(seen: number): void {
  if (seen !== PACKETS) throw new Error(`${seen} of ${PACKETS} packets were parsed`);
}

function compare(ours: () => void, theirs: () => void): CodecRate {
  let moat = 0;
  let other = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    moat = Math.max(moat, packetsPerSecond(ours));
    other = Math.max(other, packetsPerSecond(theirs));
  }
  return { moat, mqttPacket: other, ratio: moat / other };
}

function packetsPerSecond(work: () => void): number {
  const start = process.cpuUsage();
  for (let rounds = 1; ; rounds++) {
    work();
    const { user, system } = process.cpuUsage(start);
    if (user + system > MICROSECONDS_PER_TURN) return (rounds * PACKETS * 1e6) / (user + system);
  }
}

function toMqttPacket(packet: Packet): mqttPacket.Packet {
  if (packet.type === PacketType.PUBACK) return { cmd: 'puback', messageId: packet.packetId, reasonCode: 0 };
  if (packet.type !== PacketType.PUBLISH) throw new TypeError('Only PUBLISH and PUBACK are measured');
  const { topic, qos, retain, dup, packetId: messageId, properties } = packet;
  const theirs: mqttPacket.IPublishPacket = {
    cmd: 'publish',
    topic,
    payload: Buffer.from(packet.payload),
    qos,
    retain,
    dup,
    messageId,
  };
  if (properties !== undefined) {
    const { messageExpiryInterval = 0, contentType = '', userProperties = [] } = properties;
    theirs.properties = { messageExpiryInterval, contentType, userProperties: Object.fromEntries(userProperties) };
  }
  return theirs;
}

function print(figures: readonly CodecFigures[]): void {
  const million = (rate: number) => (rate / 1e6).toFixed(2).padStart(6);
  const show = ({ moat, mqttPacket: other, ratio }: CodecRate) =>
    `${million(moat)} M/s ${million(other)} M/s ${ratio.toFixed(1).padStart(5)}x`;
  console.log(`${'packets per second of CPU'.padEnd(44)} parse: Moat, mqtt-packet     encode: Moat, mqtt-packet`);
  for (const { version, kind, parse, encode: encoding } of figures) {
    console.log(`v${version} ${kind.padEnd(40)} ${show(parse)}   ${show(encoding)}`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) print(codecScenario());
