import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import fc from 'fast-check';
import { connected, ping, silent, startBroker } from '../support/broker.js';
import {
  connectPacket,
  packet,
  publish,
  subscribe,
  text,
  unsubscribe,
  type Version,
  will,
} from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

/*
 * FUME, MQueez, mqtt_fuzz: mutated and generated packets, in sequences. No crash, no stall, no fault of our own.
 */
const faults: object[] = [];
const log = { ...silent, error: (fields: object) => faults.push(fields) };
const { port, stop } = await startBroker({ limits: { max_packet_size: 4096 } }, { log });
after(stop);

const bystander = await connected(port, 5);
after(() => bystander.end());

const bytesOf = (notation: string): Uint8Array => Buffer.from(notation.replaceAll(' ', ''), 'hex');

function packetsOf(version: Version): Uint8Array[] {
  const pair = `26 ${text('name')} ${text('value')}`;
  const properties = version === 5 ? `01 01 02 0000000a 03 ${text('t')} 08 ${text('r')} 09 0001 ff ${pair}` : '';
  return [
    publish(version, 'a/b', 'x'),
    publish(version, 'a/b', 'x', { qos: 1, packetId: 1, retain: true, properties }),
    publish(version, 'a/c', 'x', { qos: 2, packetId: 2, properties: version === 5 ? '23 0001' : '' }),
    subscribe(version, 3, { 'a/#': 1, '+/b': 2, '$share/g/a/#': 0 }, version === 5 ? '0b 05' : ''),
    unsubscribe(version, 4, 'a/#', 'never'),
    '40 02 0001',
    '50 02 0001',
    '62 02 0002',
    '70 02 0001',
    version === 5 ? packet('40', '0001 10', '00') : 'c0 00',
    version === 5 ? packet('f0', '19', `07 15 0004 ${'6d'.repeat(4)}`) : 'c0 00',
    version === 5 ? packet('e0', '04', '05 11 00000005') : 'e0 00',
  ].map(bytesOf);
}

const anyByte = fc.integer({ min: 0, max: 255 });

/** A packet with some bytes changed, taken out or put in. */
function mutated(packets: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ at: fc.nat(), take: fc.nat({ max: 2 }), put: fc.array(anyByte, { maxLength: 3 }) });
  return fc.tuple(fc.constantFrom(...packets), fc.array(change, { maxLength: 3 })).map(([bytes, changes]) => {
    const result = [...bytes];
    for (const { at, take, put } of changes) result.splice(at % (result.length + 1), take, ...put);
    return Uint8Array.from(result);
  });
}

const noise = fc.uint8Array({ maxLength: 40 });

function conversation(version: Version): fc.Arbitrary<Uint8Array[]> {
  const fields = { clientId: 'fuzz', cleanStart: false, will: will(version, 'a/will', 'gone') };
  const properties = version === 5 ? '11 00000005 21 0003 22 0002 27 00000100' : '';
  const connect = bytesOf(connectPacket(version, { ...fields, properties }));
  const first = fc.oneof({ weight: 4, arbitrary: fc.constant(connect) }, mutated([connect]));
  const rest = fc.array(fc.oneof({ weight: 6, arbitrary: mutated(packetsOf(version)) }, noise), { maxLength: 12 });
  return fc.tuple(first, rest).map(([one, others]) => [one, ...others]);
}

it('Conversations of mutated packets cost their own connection at most', { timeout: 60_000 }, async () => {
  const any = fc.oneof(conversation(3), conversation(4), conversation(5));
  await fc.assert(
    fc.asyncProperty(any, async (pieces) => {
      const client = await RawClient.connect(port);
      for (const piece of pieces) client.send(piece);
      client.socket.end();
      client.socket.resume();
      await new Promise((resolve) => client.socket.once('close', resolve));
      await ping(bystander);
      assert.deepEqual(faults, []);
    }),
    { numRuns: 1_000, interruptAfterTimeLimit: 10_000 },
  );
});
