import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, startBroker } from '../support/broker.js';
import { publish, subscribe, type Version, will } from '../support/packets.js';

const { port, broker, stop } = await startBroker({ limits: { max_packet_size: 1024, receive_maximum: 2 } });
after(stop);

const watcher = await connected(port, 5);
after(() => watcher.end());
watcher.send(subscribe(5, 1, { 'errors/#': 0 }));
await watcher.expect('90 04 0001 00 00');

interface Fault {
  readonly title: string;
  readonly bytes: (version: Version) => string;
  /** Of the DISCONNECT in 5.0; what stands before it is an answer to what came before the fault. */
  readonly code: string;
  readonly before?: string;
  readonly versions?: readonly Version[];
}

const faults: readonly Fault[] = [
  { title: 'A packet of type 0', bytes: () => '00 00', code: '82' },
  { title: 'A packet of type 0 that never ends', bytes: () => '0a', code: '82' },
  { title: 'CONNACK (CVE-2021-28166)', bytes: () => '20 02 00 00', code: '82' },
  { title: 'SUBACK', bytes: () => '90 03 0001 00', code: '82' },
  { title: 'UNSUBACK', bytes: () => 'b0 02 0001', code: '82' },
  { title: 'PINGRESP', bytes: () => 'd0 00', code: '82' },
  { title: 'PINGREQ with a payload', bytes: () => 'c0 01 00', code: '81' },
  { title: 'A packet larger than the limit, by its header alone', bytes: () => '30 fe 07', code: '95' },
  { title: 'A length of 256 MB', bytes: () => '30 ff ff ff 7f', code: '95' },
  { title: 'QoS 3', bytes: () => '36 05 0001 74 0001 00', code: '81' },
  {
    title: 'More messages at once than the Receive Maximum',
    bytes: (version) => [1, 2, 3].map((packetId) => publish(version, 'errors', 'x', { qos: 2, packetId })).join(''),
    before: '50 02 0001 50 02 0002',
    versions: [5],
    code: '93',
  },
];

describe('A fault of a client', () => {
  for (const version of [4, 5] as const) {
    for (const { title, bytes, code, before, versions = [4, 5] } of faults) {
      if (!versions.includes(version)) continue;
      it(`ends its connection with the reason that its version has: ${title} in version ${version} [MQTT-4.13.1-1] [MQTT3-4.8.0-1]`, async () => {
        const topic = 'errors/will';
        const client = await connected(port, version, { will: will(version, topic, title) });
        client.send(bytes(version));
        if (before !== undefined) await client.expect(before);
        if (version === 5) await client.expect(`e0 01 ${code}`);
        await client.closed();
        await watcher.expect(publish(5, topic, title));
      });
    }
  }

  it('of exactly the maximum packet size is none [MQTT-3.2.2-15]', async () => {
    const client = await connected(port, 5);
    client.send(publish(5, 'size', 'x'.repeat(1024 - 3 - 6 - 1)));
    await ping(client);
    client.send(publish(5, 'size', 'x'.repeat(1024 - 3 - 6)));
    await client.expect('e0 01 95');
    await client.closed();
  });

  it('reaches a client that had not read yet, though it has sent more meanwhile', async () => {
    const client = await connected(port, 5);
    const messages = [1, 2, 3].map((packetId) => publish(5, 'errors/many', 'x', { qos: 2, packetId }));
    client.send(messages.join('') + publish(5, 'errors/many', 'x'.repeat(900)).repeat(1000));
    await client.expect('50 02 0001 50 02 0002 e0 01 93');
    await client.closed();
    await ping(watcher);
  });

  it('ends its connection at once, whether the client reads or not [MQTT-4.13.2-1]', async () => {
    const topic = 'errors/deaf';
    const client = await connected(port, 5, { will: will(5, topic, 'gone') });
    client.socket.pause();
    client.send('82 00');
    await watcher.expect(publish(5, topic, 'gone'));
    client.socket.resume();
    await client.expect('e0 01 81');
    await client.closed();
  });

  it('is counted, and harms nobody else', async () => {
    assert.ok(broker.status().traffic.protocolErrors >= faults.length);
    await ping(watcher);
  });
});
