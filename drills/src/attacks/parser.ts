import { setTimeout as pause } from 'node:timers/promises';
import { fromHex } from '@moat/testkit';
import { connectPacket, group, hex, packet, subscribe, text, type Version, will } from '@moat/testkit/packets';
import type { Target } from '../broker/broker.js';
import { dial } from '../dial.js';
import type { Drill, Run } from '../drill.js';
import { clientIdOf } from '../workload/client.js';

/** How long a broker may keep a connection that goes on trickling, in milliseconds. */
const patience = 20_000;
/** Connections under way at once, and addresses that they come from: one that says nothing right may be locked out. */
const atOnce = 20;
const addresses = 5_000;
/** Milliseconds between two bytes of a trickle. */
const perByte = 200;

interface Sequence {
  readonly what: string;
  readonly bytes: string;
  /** More of it comes, byte by byte. */
  readonly trickles?: true;
  /** It need not be closed: it may also be answered, with a refusal. */
  readonly mayStay?: true;
}

/** The byte sequences of which others have died. */
function sequencesFor({ insider: { credentials, topic } }: Target): readonly Sequence[] {
  const enter = (version: Version): string =>
    connectPacket(version, { ...credentials, clientId: clientIdOf(credentials, `parser${version}`) });
  const properties = (count: number, name: string): string => `26${text(name)}${text('v')}`.repeat(count);
  const utf8 = packet('30', '0003', 'c3285f', '00');
  return [
    { what: 'a first packet of 256 MiB that is no CONNECT (Mosquitto CVE-2023-0809)', bytes: '30ffffff7f000161' },
    {
      what: 'a CONNECT of 256 MiB that trickles (Mosquitto CVE-2017-7651)',
      bytes: '10ffffff7f00044d515454',
      trickles: true,
    },
    { what: 'a PUBLISH of 256 MiB that trickles', bytes: `${enter(4)}30ffffff7f${text(topic)}`, trickles: true },
    { what: 'a malformed CONNECT (Mosquitto CVE-2017-7654)', bytes: '100f00044d5154540402003c0003610062ff' },
    { what: 'a remaining length of five bytes (NanoMQ CVE-2026-21888)', bytes: '10ffffffff7f00044d515454' },
    { what: 'QoS 1 without a packet identifier (NanoMQ #2270)', bytes: `${enter(4)}32050003612f62` },
    { what: 'SUBSCRIBE without options (NanoMQ #2268)', bytes: `${enter(4)}8205000100016100`.slice(0, -2) },
    {
      what: 'a CONNECT that ends too soon (Aedes #612)',
      bytes: '101000044d5154540502003c0321001400006202d301e0020020',
    },
    {
      what: 'a property named __proto__ (MQTT.js CVE-2016-10523)',
      bytes: connectPacket(5, { properties: properties(3, '__proto__') }),
      mayStay: true,
    },
    {
      what: '50,000 user properties (Mosquitto CVE-2021-41039)',
      bytes: connectPacket(5, { properties: properties(50_000, 'k') }),
      mayStay: true,
    },
    {
      what: 'a will with a property of another packet (Mosquitto CVE-2021-34431)',
      bytes: connectPacket(5, { will: will(5, 'w', 'w', { properties: '2100ff' }) }),
    },
    { what: 'a client that sends CONNACK (Mosquitto CVE-2021-28166)', bytes: `${enter(4)}20020000` },
    {
      what: 'PUBLISH with an empty topic (Mosquitto CVE-2021-34432)',
      bytes: `${enter(5)}${packet('30', '0000', '00', '78')}`,
    },
    { what: 'a topic that is no UTF-8 (Mosquitto CVE-2017-7653)', bytes: `${enter(4)}${utf8}` },
    {
      what: '65,000 slashes in a filter (Mosquitto CVE-2019-11779)',
      bytes: enter(4) + subscribe(4, 1, { ['/'.repeat(65_000)]: 0 }),
      mayStay: true,
    },
    {
      what: 'a filter of many # (Aedes CVE-2024-48080)',
      bytes: enter(4) + subscribe(4, 1, { [`${topic}/${'#/'.repeat(500)}#`]: 0 }),
      mayStay: true,
    },
    {
      what: '$share without a filter (NanoMQ CVE-2025-68699)',
      bytes: enter(5) + subscribe(5, 1, { '$share/ab': 0 }),
      mayStay: true,
    },
    { what: 'UNSUBSCRIBE without a filter', bytes: `${enter(4)}a2020001` },
    { what: 'a packet of type 0', bytes: `${enter(4)}0000` },
    {
      what: 'a length of a string beyond the packet',
      bytes: packet('10', text('MQTT'), '04', '02', hex(60, 2), 'ffff', '61'),
    },
    {
      what: 'properties longer than their packet',
      bytes: packet('10', text('MQTT'), '05', '02', hex(60, 2), 'ffff7f', group()),
    },
  ];
}

async function run({ broker, amount, signal, report }: Run): Promise<void> {
  const sequences = sequencesFor(broker);
  const each = Math.ceil(amount.count / sequences.length);
  let from = 0;
  for (const sequence of sequences) {
    const times = sequence.trickles ? atOnce : each;
    const fates = { closed: 0, answered: 0, open: 0 };
    for (let done = 0; done < times && !signal.aborted; done += atOnce) {
      const some = Array.from({ length: Math.min(atOnce, times - done) }, () =>
        send(broker, sequence, from++ % addresses),
      );
      for (const fate of await Promise.all(some)) fates[fate]++;
    }
    report({
      tried: sequence.what,
      happened: `${fates.closed} closed, ${fates.answered} answered, ${fates.open} still open`,
      survived: fates.open === 0,
    });
  }
}

/** What becomes of a connection on which something was sent that is no MQTT, or hardly. */
async function send({ address }: Target, sequence: Sequence, from: number): Promise<'closed' | 'answered' | 'open'> {
  const { bytes, trickles = false, mayStay = false } = sequence;
  const socket = dial(address, from);
  let heard = Buffer.alloc(0);
  socket
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      heard = Buffer.concat([heard, chunk]);
    });
  // A PINGRESP behind it: the broker has acted on it, and goes on.
  socket.write(fromHex(mayStay ? `${bytes}c000` : bytes));
  const end = performance.now() + patience;
  for (let last = performance.now(); !socket.destroyed && performance.now() < end; ) {
    if (mayStay && heard.subarray(-2).toString('hex') === 'd000') {
      socket.resetAndDestroy();
      return 'answered';
    }
    if (trickles && performance.now() - last > perByte) {
      socket.write('x');
      last = performance.now();
    }
    await pause(2);
  }
  const fate = socket.destroyed ? 'closed' : 'open';
  socket.destroy();
  return fate;
}

export const parser: Drill = {
  name: 'parser',
  summary: 'Sends what the parsers of other brokers died of',
  seenIn: 'Mosquitto CVE-2017-7651, CVE-2021-41039, CVE-2019-11779, and others',
  unit: 'packets',
  intensity: { small: { count: 21, seconds: 45 }, full: { count: 10_000, seconds: 180 } },
  workload: { connects: 0.99, messages: 0.95, growthMiB: 128, remains: 0.1 },
  cheapPasswords: true,
  needs: 'address',
  run,
};
