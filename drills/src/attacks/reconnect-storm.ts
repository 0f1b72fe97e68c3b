import { setTimeout as pause } from 'node:timers/promises';
import { fromHex, RawClient, readPacket } from '@moat/testkit';
import { connectPacket, publish, subscribe, unsubscribe } from '@moat/testkit/packets';
import type { Target } from '../broker/broker.js';
import { dial } from '../dial.js';
import type { Drill, Run } from '../drill.js';
import { attackWith } from '../horde.js';
import { within } from '../within.js';
import { clientIdOf, login, persevere } from '../workload/client.js';

/** Connections that want the client ID at once. */
const rivals = 20;
/** Filters of which each picks some. */
const filters = 16;
/** How long a client ID that has come too often may be turned away, in milliseconds. */
const banishment = 90_000;

async function run({ broker, amount, signal, report }: Run): Promise<void> {
  const { address, insider } = broker;
  const { credentials } = insider;
  const clientId = clientIdOf(credentials, 'storm');
  const topic = (index: number): string => `${insider.topic}/storm/${index % filters}`;
  const { opened } = await attackWith({
    size: rivals,
    most: amount.count,
    signal: within(signal, amount.seconds / 4), // the rest is for finding out what is left
    open(number) {
      const socket = dial(address, number % rivals);
      const fields = { ...credentials, clientId, cleanStart: number % 3 === 0 };
      const some = [topic(number), topic(7 * number + 3)];
      const jitter = subscribe(4, 1, { [some[0] ?? '']: 1, [some[1] ?? '']: 2 }) + unsubscribe(4, 2, topic(5 * number));
      socket.write(fromHex(connectPacket(4, fields) + jitter));
      // Some go when they have been answered, some are thrown out by the next one, if there is any.
      if (number % 2 === 0) socket.on('data', () => socket.destroy());
      else socket.resume().setTimeout(500, () => socket.destroy());
      return socket;
    },
  });
  report({ tried: 'connect with one client ID from many sides', happened: `${opened} connections`, survived: true });
  await judge(broker, clientId, topic, report);
}

/** What is left of the session. */
async function judge(
  broker: Target,
  clientId: string,
  topic: (index: number) => string,
  report: Run['report'],
): Promise<void> {
  const { address, insider } = broker;
  const begun = performance.now();
  let owner = await enter(broker, clientId, true);
  while (owner === undefined && performance.now() - begun < banishment) {
    await pause(1_000);
    owner = await enter(broker, clientId, true);
  }
  report({
    tried: 'get the client ID back when the storm is over',
    happened: owner === undefined ? 'never' : `after ${Math.round((performance.now() - begun) / 1_000)} s`,
    survived: owner !== undefined,
  });
  if (owner === undefined) return;
  const speaker = await persevere(() =>
    login(address, insider.credentials, clientIdOf(insider.credentials, 'speaker')),
  );
  for (let index = 0; index < filters; index++)
    speaker.send(publish(4, topic(index), 'stale', { qos: 1, packetId: 1 + index }));
  for (let index = 0; index < filters; index++) await readPacket(speaker);
  const stale = await messagesBy(owner);
  report({
    tried: 'start anew: no subscription of before is left',
    happened: `${stale} messages for subscriptions that are gone`,
    survived: stale === 0,
  });
  owner.send(subscribe(4, 1, { [topic(0)]: 1 }));
  await readPacket(owner);
  speaker.send(publish(4, topic(0), 'once', { qos: 1 }));
  await readPacket(speaker);
  const once = await messagesBy(owner);
  report({
    tried: 'subscribe again: one message comes once',
    happened: `it came ${once} times`,
    survived: once === 1,
  });
  owner.end();
  speaker.end();
}

async function enter(
  { address, insider }: Target,
  clientId: string,
  cleanStart: boolean,
): Promise<RawClient | undefined> {
  const client = await RawClient.connect(address.port, { host: address.host, timeout: banishment });
  client.send(connectPacket(4, { ...insider.credentials, clientId, cleanStart }));
  if ((await readPacket(client).catch(() => '')) === '20020000') return client;
  client.end();
  return undefined;
}

/** How many messages come up to now; what is on its way has a moment. */
async function messagesBy(client: RawClient): Promise<number> {
  let messages = 0;
  for (let asked = 0; asked < 3; asked++) {
    client.send('c000');
    for (let answer = ''; answer !== 'd000'; ) {
      answer = await readPacket(client);
      if (answer.startsWith('3')) messages++;
    }
    await pause(50);
  }
  return messages;
}

export const reconnectStorm: Drill = {
  name: 'reconnect-storm',
  summary: 'Many connections fight for one client ID, and leave other subscriptions each time',
  seenIn: 'NanoMQ CVE-2025-59946, CVE-2026-22040',
  unit: 'connects',
  // Small: fewer than those after which a client ID is turned away for a minute.
  intensity: { small: { count: 50, seconds: 20 }, full: { count: 50_000, seconds: 120 } },
  workload: { connects: 0.99, messages: 0.95, growthMiB: 128, remains: 0.1 },
  cheapPasswords: true,
  needs: 'address',
  run,
};
