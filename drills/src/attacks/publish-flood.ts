import { fromHex } from '@moat/testkit';
import { publish, subscribe } from '@moat/testkit/packets';
import type { Drill, Run } from '../drill.js';
import { pour } from '../torrent.js';
import { within } from '../within.js';
import { clientIdOf, login, persevere } from '../workload/client.js';

/** The largest payload that is within what every broker takes, with its topic: MQTT's own bound is 256 MiB. */
const largest = 1_048_576 - 128;
/** Bytes that are handed to the socket at once where messages are small. */
const batch = 65_536;

async function run({ broker, amount, signal, report }: Run): Promise<void> {
  const { address, insider } = broker;
  const topic = `${insider.topic}/flood`;
  const listener = await persevere(() =>
    login(address, insider.credentials, clientIdOf(insider.credentials, 'listener')),
  );
  listener.socket.removeAllListeners('data').resume(); // it only keeps them coming
  listener.send(subscribe(4, 1, { [topic]: 0 }));
  const shapes = [
    ['the largest payloads, QoS 0', 0, largest],
    ['small messages, QoS 0', 0, 16],
    ['small messages, QoS 1', 1, 16],
  ] as const;
  for (const [index, [what, qos, size]] of shapes.entries()) {
    const packet = fromHex(publish(4, topic, 'x'.repeat(size), { qos }));
    const chunk = Buffer.concat(Array.from({ length: Math.ceil(batch / packet.length) }, () => packet));
    let left = Math.floor((amount.count * 2 ** 20) / shapes.length / chunk.length);
    const own = within(signal, amount.seconds / shapes.length);
    const flow = await pour(broker, {
      name: `flood${index}`,
      from: index,
      signal: own,
      next: () => (left-- > 0 ? chunk : undefined),
    });
    report({
      tried: `${what}, as fast as they are taken`,
      happened: `${Math.round(flow.bytes / 2 ** 20)} MiB on ${flow.connections} connections`,
      survived: true, // as the others will tell
    });
  }
  listener.end();
}

export const publishFlood: Drill = {
  name: 'publish-flood',
  summary: 'One client publishes at full speed, with the largest payloads and with the smallest',
  seenIn: 'every broker that reads as fast as it can',
  unit: 'MiB',
  intensity: { small: { count: 30, seconds: 2 }, full: { count: 20_000, seconds: 30 } },
  workload: { connects: 0.99, messages: 0.95, growthMiB: 512, remains: 0.1 },
  cheapPasswords: true,
  needs: 'address',
  run,
};
