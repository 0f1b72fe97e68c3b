import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { connected, ping, portOf, startBroker } from '../support/broker.js';
import { memoryInUse } from '../support/memory.js';
import { connectPacket, group, hex, packet, publish, subscribe, text, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

/*
 * Published attacks on other brokers that need no credentials, and what each of them comes to here. Every one of them
 * costs its own connection at most.
 */
const { port, broker, stop } = await startBroker({
  listeners: [
    { protocol: 'mqtt', port: 0 },
    { protocol: 'ws', port: 0 },
  ],
});
after(stop);

const bystander = await connected(port, 5);
after(() => bystander.end());
bystander.send(subscribe(5, 1, { '#': 0 }));
await bystander.expect('90 04 0001 00 00');

/** Sends, expects exactly `answer` and the end, and shows that nobody else noticed. */
async function refused(bytes: string | Uint8Array, answer = ''): Promise<void> {
  const client = await RawClient.connect(port);
  client.send(bytes);
  if (answer !== '') await client.expect(answer);
  await client.closed();
}

const MiB = 1_048_576;

/** Runs once to warm up and then again, which must leave nothing behind. */
async function leavesNothing(attack: () => Promise<void>): Promise<void> {
  await attack();
  const before = await memoryInUse();
  await attack();
  const growth = (await memoryInUse()) - before;
  assert.ok(growth < 2 * MiB, `${growth} bytes more than before`);
  await ping(bystander);
}

const malformedConnects = [
  '10 00',
  '10 07 0004 4d515454 04',
  packet('10', text('MQTT'), '05 02 003c 05 11'),
  packet('10', text('MQTT'), '04 c6 003c', text('c'), text('w')),
  packet('10', text('MQTT'), '05 02 003c 00', 'ffff 61'),
  packet('10', text('MQTT'), '05 06 003c 00', text('c'), group('18 00000001 18 00000001'), text('w'), text('m')),
  packet('10', text('x'.repeat(60_000)), '04 02 003c', text('c')),
];

describe('Before CONNECT', () => {
  it('Mosquitto CVE-2023-0809: another packet that announces 243 MB is closed at its first byte, and nothing is kept of what follows', async () => {
    const behind = Buffer.alloc(MiB);
    await leavesNothing(async () => {
      for (const type of ['00', '20', '30', '40', '50', '62', '70', '82', '90', 'a2', 'b0', 'c0', 'd0', 'e0', 'f0'])
        await refused(Buffer.concat([Buffer.from(`${type}80808074`, 'hex'), behind]));
    });
  });

  it('Mosquitto CVE-2017-7651: a CONNECT that announces more than the limit is closed before its body comes', () =>
    refused('10 ff ff ff 7f 0004 4d515454'));

  it('Mosquitto CVE-2017-7651: CONNECTs within the limit that announce much cost only what has come', async () => {
    const clients: RawClient[] = [];
    const before = await memoryInUse();
    for (let count = 0; count < 200; count++) {
      const client = await RawClient.connect(port);
      client.send('10 f0 ff 3f 0004 4d515454 04');
      clients.push(client);
    }
    const late = await connected(port, 4);
    await ping(late);
    late.end();
    const growth = (await memoryInUse()) - before;
    for (const client of clients) client.end();
    assert.ok(growth < 8 * MiB, `${growth} bytes for 200 connections that announce 200 MiB`);
  });

  it('Mosquitto CVE-2017-7654: malformed CONNECTs in a loop leave nothing behind', () =>
    leavesNothing(async () => {
      for (let round = 0; round < 40; round++) {
        await Promise.all(
          malformedConnects.map(async (bytes) => {
            const client = await RawClient.connect(port);
            client.send(bytes);
            await client.closed().catch(() => undefined);
            client.end();
          }),
        );
      }
    }));

  it('NanoMQ CVE-2026-21888: a remaining length of five bytes is malformed', async () => {
    await refused('10 80 80 80 80 01');
    await refused('10 ff ff ff ff 7f 0004 4d515454 05 02 003c 00 0000');
  });

  it('NanoMQ CVE-2026-25627: a WebSocket frame shorter than the packet is waited for, never read past', async () => {
    const bytes = Buffer.from(connectPacket(4).replaceAll(' ', ''), 'hex');
    for (let cut = 1; cut < bytes.length; cut++) {
      const socket = new WebSocket(`ws://127.0.0.1:${portOf(broker, 'ws')}/mqtt`, 'mqtt');
      const answer = await new Promise<string>((resolve, reject) => {
        socket.on('open', () => {
          socket.send(bytes.subarray(0, cut));
          socket.send(bytes.subarray(cut));
        });
        socket.on('message', (data: Buffer) => resolve(data.toString('hex')));
        socket.on('error', reject);
      });
      assert.equal(answer, '20020000');
      socket.terminate();
    }
  });

  it('Aedes #612: the bytes that ended the process are answered packet by packet', async () => {
    const client = await RawClient.connect(port);
    client.send('101000044d5154540502003c0321001400006202d301e0020020');
    await client.read(2 + 46);
    await client.expect('70 03 d301 92 e0 01 81');
    await client.closed();
    await ping(bystander);
  });

  it('Mosquitto CVE-2021-41039: tens of thousands of user properties in CONNECT end at the limit of their number', async () => {
    const properties = '26 0001 61 0001 62'.repeat(20_000);
    await leavesNothing(() => refused(connectPacket(5, { properties }), '20 03 00 97 00'));
    await refused(connectPacket(5, { will: will(5, 'w', 'm', { properties }) }), '20 03 00 97 00');
  });

  it('Mosquitto CVE-2021-34431, CVE-2023-3592: wills with properties of the wrong kind, or repeated, leave nothing behind', () =>
    leavesNothing(async () => {
      for (const [properties, code] of [
        ['17 01', '81'],
        ['11 00000001', '81'],
        ['21 0001', '81'],
        ['23 0001', '81'],
        ['18 00000001 18 00000001', '82'],
        ['03 0001 61 03 0001 61', '82'],
        [`09 ffff ${'00'.repeat(65_535)} 09 0000`, '82'],
        ['02 00000001 01 01 01 01', '82'],
      ] as const)
        await refused(connectPacket(5, { will: will(5, 'w', 'm', { properties }) }), `20 03 00 ${code} 00`);
    }));

  it('MQTT.js CVE-2016-10523, mqtt-packet #88: packets without what they should hold harm nobody', async () => {
    for (const bytes of ['10 00', '10 02 0004', '10 06 0004 4d515454', '10 0a 0004 4d515454 04 02 003c'])
      await refused(bytes);
  });

  it('mqtt-packet #88: user properties named like members of Object are names like others', async () => {
    const pairs = ['__proto__', 'constructor', 'hasOwnProperty', 'toString'];
    const properties = pairs.map((name) => `26 ${text(name)} ${text(name)}`).join('');
    const client = await connected(port, 5, { properties });
    client.send(publish(5, 'properties', 'x', { properties }));
    await bystander.expect(publish(5, 'properties', 'x', { properties }));
    await ping(client);
    client.end();
    assert.equal(({} as Record<string, unknown>)[pairs[0] as string], Object.prototype);
  });
});

describe('After CONNECT', () => {
  /** Sends on a connection of its own that subscribes to what is attacked; `answer` is a pattern of what comes back. */
  async function answered(version: 4 | 5, bytes: string, answer: string): Promise<void> {
    const client = await connected(port, version);
    client.send(bytes);
    if (version === 5) await client.expect(answer);
    await client.closed();
    await ping(bystander);
  }

  const attacks: Record<string, { v4?: string; v5?: string; answer: string }> = {
    'NanoMQ #2270: a QoS 1 PUBLISH without packet identifier': {
      v4: '32 03 0001 74',
      v5: '32 03 0001 74',
      answer: 'e0 01 81',
    },
    'NanoMQ #2268: a SUBSCRIBE without options': {
      v4: '82 05 0001 0001 66',
      v5: '82 06 0001 00 0001 66',
      answer: 'e0 01 81',
    },
    'Mosquitto CVE-2021-28166: CONNACK from a client': { v4: '20 02 00 00', v5: '20 03 00 00 00', answer: 'e0 01 82' },
    'Mosquitto CVE-2021-34432: a PUBLISH with an empty topic and no alias': {
      v4: '30 03 0000 78',
      v5: '30 04 0000 00 78',
      answer: 'e0 01 82',
    },
    'Mosquitto CVE-2017-7653: a topic of invalid UTF-8': {
      v4: '30 04 0002 c328',
      v5: '30 05 0002 c328 00',
      answer: 'e0 01 81',
    },
    'Aedes CVE-2024-48080: a filter of many #': {
      v4: packet('82', '0001', text('#'.repeat(1000)), '00'),
      v5: packet('82', '0001 00', text('#'.repeat(1000)), '00'),
      answer: 'e0 01 81',
    },
    'NanoMQ CVE-2025-68699: a share name without a filter': {
      v5: packet('82', '0001 00', text('$share/ab'), '00'),
      answer: 'e0 01 82',
    },
    'NanoMQ CVE-2025-68699: a shared filter without a name': {
      v5: packet('82', '0001 00', text('$share//a'), '00'),
      answer: 'e0 01 82',
    },
  };
  for (const [title, { v4, v5, answer }] of Object.entries(attacks)) {
    if (v5 !== undefined) it(`${title}, in 5.0`, () => answered(5, v5, answer));
    if (v4 !== undefined) it(`${title}, in 3.1.1`, () => answered(4, v4, ''));
  }

  it('Mosquitto CVE-2019-11779: a filter of 65,000 slashes is refused, and costs no stack', async () => {
    const slashes = '/'.repeat(65_000);
    for (const [version, properties] of [
      [4, ''],
      [5, '00'],
    ] as const) {
      for (const bytes of [
        packet('82', '0001', properties, text(slashes), '00'),
        packet('30', text(slashes), properties),
      ]) {
        const client = await connected(port, version);
        client.send(bytes);
        client.socket.end();
        const heard: Buffer[] = [];
        client.socket.on('data', (chunk: Buffer) => heard.push(chunk));
        await new Promise((resolve) => client.socket.once('close', resolve));
        assert.doesNotMatch(Buffer.concat(heard).toString('hex'), /^90....(00)?0[012]$/);
        await ping(bystander);
      }
    }
    assert.ok(hex(broker.status().subscriptions, 1) === '01');
  });
});
