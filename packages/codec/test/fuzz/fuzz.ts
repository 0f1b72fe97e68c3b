import { CodecError, encode, PacketType, Parser, type ParserOptions } from '@moat/codec';
import { cut, mutate, Random } from '@moat/testkit';
import { Collector } from '../collector.js';
import { bytesOf, hex } from '../notation.js';
import { vectors } from '../vectors.js';

/** Something that must not happen, with all that is needed to see it again. */
interface Finding {
  message: string;
  role: 'server' | 'client';
  /** The chunks fed to one parser, in hex. */
  chunks: string[];
}

export interface FuzzReport {
  packets: number;
  accepted: number;
  refused: number;
  finding: Finding | undefined;
}

const MAXIMUM_PACKET_SIZE = 65_536;
const seeds = vectors.map((vector) => ({ ...vector, raw: bytesOf(vector.bytes) }));
const sound = seeds.filter(({ packet }) => packet !== undefined && packet.type !== PacketType.CONNECT);
const options: Record<'server' | 'client', ParserOptions> = {
  server: { role: 'server', maximumPacketSize: MAXIMUM_PACKET_SIZE, maximumUserProperties: 16 },
  client: { role: 'client', maximumPacketSize: MAXIMUM_PACKET_SIZE, maximumUserProperties: 16 },
};

/** Feeds at least `packets` mutated packets to parsers, in conversations of a few, until one does what it must not. */
export function fuzz(packets: number, seed: number, progress: (report: FuzzReport) => void = () => {}): FuzzReport {
  const random = new Random(seed);
  const report: FuzzReport = { packets: 0, accepted: 0, refused: 0, finding: undefined };
  while (report.packets < packets && report.finding === undefined) {
    converse(random, report);
    progress(report);
  }
  return report;
}

function converse(random: Random, report: FuzzReport): void {
  const version = random.pick([3, 4, 5] as const);
  const role = random.chance(80) ? 'server' : 'client';
  const collector = new Collector();
  const parser = new Parser(collector, role === 'client' ? { ...options.client, version } : options.server);
  const sender = role === 'server' ? 'client' : 'server';
  const usable = seeds.filter((one) => one.version === version && one.from === sender);
  const welcome = sound.filter((one) => one.version === version && one.from === sender);
  const parts: Uint8Array[] = [];
  if (role === 'server') {
    const connect = encode(
      { type: PacketType.CONNECT, version, cleanStart: true, keepAlive: 0, clientId: 'c' },
      version,
    );
    parts.push(random.chance(90) ? connect : mutate(random.pick(usable).raw, random));
  }
  for (let left = random.below(6); left >= 0; left--) {
    parts.push(random.chance(70) ? random.pick(welcome).raw : mutate(random.pick(usable).raw, random));
  }
  report.packets += parts.length;
  const chunks = cut(Buffer.concat(parts), random);
  const message = feed(parser, collector, role, chunks, report);
  if (message !== undefined) report.finding = { message, role, chunks: chunks.map(hex) };
}

/** What went wrong, or undefined. */
function feed(
  parser: Parser,
  collector: Collector,
  role: 'server' | 'client',
  chunks: Uint8Array[],
  report: FuzzReport,
): string | undefined {
  let fed = 0;
  try {
    for (const chunk of chunks) {
      fed += chunk.length;
      parser.feed(chunk.slice());
      if (parser.buffered > Math.min(fed, MAXIMUM_PACKET_SIZE)) return `${parser.buffered} bytes kept of ${fed} fed`;
    }
    report.accepted++;
  } catch (error) {
    if (!(error instanceof CodecError)) return `threw ${error instanceof Error ? error.stack : String(error)}`;
    if (parser.buffered > 0) return 'memory kept after a refusal';
    report.refused++;
  }
  if (collector.packets.length > fed / 2) return `${collector.packets.length} packets out of ${fed} bytes`;
  return encodeAgain(parser, collector, role);
}

/** What has been accepted is encoded and parsed again, and must be the same. */
function encodeAgain({ version }: Parser, { packets }: Collector, role: 'server' | 'client'): string | undefined {
  if (version === 0) return undefined;
  const again = new Collector();
  const parser = new Parser(again, { ...options[role], version });
  for (const packet of packets) parser.feed(encode(packet, version));
  const [before, after] = [JSON.stringify(packets), JSON.stringify(again.packets)];
  return before === after ? undefined : `${before} became ${after}`;
}
