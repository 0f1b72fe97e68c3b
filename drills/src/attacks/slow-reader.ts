import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fromHex, type RawClient, readPacket } from '@moat/testkit';
import { connectPacket, publish, subscribe } from '@moat/testkit/packets';
import type { Target } from '../broker/broker.js';
import type { Drill, Run } from '../drill.js';
import { sourceAddress } from '../knock.js';
import { clientIdOf, login, persevere } from '../workload/client.js';

const readers = 20;
const payload = 'x'.repeat(4_096);
/** Milliseconds between two bytes. */
const perByte = 1_000;
/** QoS 2 messages of which the publisher awaits PUBCOMP at once. */
const window = 20;

async function run({ broker, amount, signal, report }: Run): Promise<void> {
  const { address, insider } = broker;
  const topic = `${insider.topic}/slow`;
  const slow = await Promise.all(
    Array.from({ length: readers }, (_, index) => persevere(() => readSlowly(broker, topic, index))),
  );
  const publisher = await persevere(() => login(address, insider.credentials, clientIdOf(insider.credentials, 'fan')));
  const sent = await publishAll(publisher, topic, amount.count, signal);
  // What was sent is there to be read; nobody reads it until the time is over.
  while (!signal.aborted) await pause(100);
  const gone = slow.filter(({ destroyed }) => destroyed).length;
  report({
    tried: `${readers} subscribers read one byte a second, of ${sent} QoS 2 messages of ${payload.length} bytes each`,
    happened: `${gone} of them were thrown out`,
    survived: true, // as the others will tell
  });
  for (const socket of slow) socket.destroy();
  publisher.end();
}

/** Reads CONNACK and SUBACK, then from one byte to the next as slowly as it goes. */
function readSlowly({ address, insider: { credentials } }: Target, topic: string, index: number): Promise<Socket> {
  const { host, port } = address;
  const localAddress = sourceAddress(address, index);
  const buffer = Buffer.alloc(1);
  let awaited = 4 + 5;
  return new Promise((resolve, reject) => {
    const callback = (): boolean => {
      if (--awaited > 0) return true;
      if (awaited === 0) resolve(socket);
      setTimeout(() => socket.resume(), perByte);
      return false;
    };
    const from = localAddress === undefined ? {} : { localAddress };
    const socket = connect({ host, port, ...from, onread: { buffer, callback } });
    socket.on('error', () => {}).on('close', () => reject(new Error('a subscriber was not served')));
    const clientId = clientIdOf(credentials, `slow${index}`);
    socket.write(
      fromHex(connectPacket(4, { ...credentials, clientId, keepAlive: 600 }) + subscribe(4, 1, { [topic]: 2 })),
    );
  });
}

/** How many were acknowledged for good; a publisher that is read no further waits. */
async function publishAll(client: RawClient, topic: string, count: number, signal: AbortSignal): Promise<number> {
  let begun = 0;
  let done = 0;
  const begin = (): void => client.send(publish(4, topic, payload, { qos: 2, packetId: 1 + (begun++ % 60_000) }));
  const over = new Promise<undefined>((resolve) => signal.addEventListener('abort', () => resolve(undefined)));
  while (begun < Math.min(window, count)) begin();
  while (done < count && !signal.aborted) {
    const answer = await Promise.race([readPacket(client).catch(() => undefined), over]);
    if (answer === undefined) break;
    if (answer.startsWith('50')) client.send(`62${answer.slice(2)}`);
    if (!answer.startsWith('70')) continue;
    done++;
    if (begun < count) begin();
  }
  return done;
}

export const slowReader: Drill = {
  name: 'slow-reader',
  summary: 'Subscribers that hardly read, under a fan-out of QoS 2',
  seenIn: 'SlowTT',
  unit: 'messages',
  intensity: { small: { count: 200, seconds: 2 }, full: { count: 50_000, seconds: 45 } },
  workload: { connects: 0.99, messages: 0.95, growthMiB: 512, remains: 0.1 },
  cheapPasswords: true,
  needs: 'address',
  run,
};
