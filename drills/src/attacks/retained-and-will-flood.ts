import { fromHex, readPacket } from '@moat/testkit';
import { connectPacket, publish, subscribe, will } from '@moat/testkit/packets';
import { dial, spread } from '../dial.js';
import type { Drill, Run } from '../drill.js';
import { attackWith } from '../horde.js';
import { pour } from '../torrent.js';
import { within } from '../within.js';
import { clientIdOf, login, persevere } from '../workload/client.js';

const publishers = 10;
/** Messages that are handed to a socket at once. */
const batch = 200;
const payload = 'x'.repeat(256);
/** Connections with a will, of those that there are messages, and how long it is. */
const willShare = 0.02;
const willPayload = 'x'.repeat(8_192);
/** Connections with a will that are open at once, in so many networks. */
const size = 100;
const networks = 64;

async function run({ broker, amount, signal, report }: Run): Promise<void> {
  const { address, insider } = broker;
  const { credentials, topic } = insider;
  let sent = 0;
  const next = (): Uint8Array | undefined => {
    if (sent >= amount.count) return undefined;
    const first = sent;
    sent += batch;
    const retained = (_: unknown, index: number) =>
      publish(4, `${topic}/r/${first + index}`, payload, { retain: true });
    return fromHex(Array.from({ length: batch }, retained).join(''));
  };
  const half = within(signal, amount.seconds / 2);
  const pouring = Array.from({ length: publishers }, (_, index) =>
    pour(broker, { name: `retain${index}`, from: spread(index, networks), signal: half, next }),
  );
  await Promise.all(pouring);
  report({ tried: 'retain a message on every topic', happened: `${sent} topics were sent`, survived: true });
  const { opened } = await attackWith({
    size,
    most: Math.ceil(amount.count * willShare),
    signal,
    open(number) {
      const socket = dial(address, spread(number, networks));
      const last = will(4, `${topic}/w/${number}`, willPayload, { qos: 1, retain: true });
      socket.write(
        fromHex(connectPacket(4, { ...credentials, clientId: clientIdOf(credentials, `will${number}`), will: last })),
      );
      socket.on('data', () => socket.resetAndDestroy());
      return socket;
    },
  });
  report({ tried: 'leave a will with every connection', happened: `${opened} connections`, survived: true });
  const reader = await persevere(() => login(address, credentials, clientIdOf(credentials, 'reader')));
  reader.send(subscribe(4, 1, { [`${topic}/r/0`]: 0 }));
  const answer = await readPacket(reader);
  report({
    tried: 'subscribe to one of those topics',
    happened: `it is answered ${answer.slice(0, 10)}`,
    survived: answer === '9003000100',
  });
  reader.end();
}

export const retainedAndWillFlood: Drill = {
  name: 'retained-and-will-flood',
  summary: 'A retained message on each of very many topics, then a retained will with every connection',
  seenIn: 'brokers without a bound for retained messages',
  unit: 'topics',
  intensity: { small: { count: 10_000, seconds: 6 }, full: { count: 1_000_000, seconds: 60 } },
  // What is retained stays, so that memory does not come back.
  workload: { connects: 0.99, messages: 0.95, growthMiB: 768 },
  cheapPasswords: true,
  needs: 'address',
  run,
};
