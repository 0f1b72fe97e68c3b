import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { connectPacket, group, packet, publish, subscribe, text, type Version, will } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

const bystander = await connected(port, 5);
after(() => bystander.end());

/** Bytes after CONNECT that end the connection: with DISCONNECT 0x81 in 5.0, without a byte before it. */
function malformed(title: string, bytes: (version: Version) => string, versions: readonly Version[] = [4, 5]): void {
  for (const version of versions) {
    it(`${title}, in version ${version}`, async () => {
      const client = await connected(port, version);
      client.send(bytes(version));
      if (version === 5) await client.expect('e0 01 81');
      await client.closed();
      await ping(bystander);
    });
  }
}

const none = (version: Version): string => (version === 5 ? '00' : '');
const field = (bytes: string): string =>
  `${(bytes.replaceAll(' ', '').length / 2).toString(16).padStart(4, '0')} ${bytes}`;

const illFormed: Record<string, string> = {
  'a surrogate': '74 ed a0 80',
  'the last surrogate': 'ed bf bf',
  'U+0000 in two bytes': 'c0 80',
  'an overlong form': 'c1 bf',
  'a code point above U+10FFFF': 'f4 90 80 80',
  'a byte that UTF-8 never has': '61 ff',
  'a sequence cut short': 'e2 82',
  'U+0000': '74 6f 70 00 00',
};

const unwanted: Record<string, string> = {
  'U+0001': '61 01',
  'U+001F': '1f',
  'U+007F': '7f 61',
  'U+009F': 'c2 9f',
  'U+FFFF': 'ef bf bf',
  'U+FDD0': 'ef b7 90',
};

describe('Text that is not well-formed ends the connection [MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT3-1.5.3-1] [MQTT3-1.5.3-2]', () => {
  for (const [title, bytes] of Object.entries({ ...illFormed, ...unwanted })) {
    const text = field(bytes);
    malformed(`${title} in a topic name`, (version) => packet('30', text, none(version)));
    malformed(`${title} in a filter`, (version) => packet('82', '0001', none(version), text, '00'));
    malformed(`${title} in a filter to be left`, (version) => packet('a2', '0001', none(version), text));
  }
  for (const [title, bytes] of Object.entries(illFormed)) {
    const bad = field(bytes);
    const properties: Record<string, string> = {
      'the name of a user property [MQTT-1.5.7-1]': `26 ${bad} 0001 61`,
      'the value of a user property [MQTT-1.5.7-1]': `26 0001 61 ${bad}`,
      'a content type': `03 ${bad}`,
      'a response topic': `08 ${bad}`,
    };
    for (const [where, property] of Object.entries(properties))
      malformed(`${title} in ${where}`, () => packet('30', text('t'), group(property)), [5]);
    malformed(`${title} in a reason string`, () => packet('40', '0001 00', group(`1f ${bad}`)), [5]);
  }
});

describe('What is not text, or unusual text, passes', () => {
  it('any bytes in a payload and in Correlation Data [MQTT-1.5.4-1]', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { bytes: 0 }));
    await client.expect('90 04 0001 00 00');
    const bytes = packet('30', text('bytes'), group('09 0003 00 ff ed'), '00 ff ed a0 80');
    client.send(bytes);
    await client.expect(bytes);
    client.end();
  });

  it('control characters in user properties and content types', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { control: 0 }));
    await client.expect('90 04 0001 00 00');
    const bytes = packet('30', text('control'), group('03 0001 0a 26 0001 09 0001 7f'));
    client.send(bytes);
    await client.expect(bytes);
    client.end();
  });

  it('user properties with empty names and values [MQTT-1.5.7-1]', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { empty: 0 }));
    await client.expect('90 04 0001 00 00');
    const bytes = packet('30', text('empty'), group('26 0000 0001 61 26 0001 61 0000 26 0000 0000'));
    client.send(bytes);
    await client.expect(bytes);
    client.end();
  });

  for (const version of [4, 5] as const) {
    it(`a byte order mark, which is a character like others, in version ${version} [MQTT-1.5.4-3]`, async () => {
      const client = await connected(port, version, { clientId: '\ufeffmark' });
      const other = await connected(port, version, { clientId: 'mark' });
      client.send(subscribe(version, 1, { '\ufeffmark': 0 }));
      assert.match(await readPacket(client), /^90/);
      other.send(publish(version, 'mark', 'no') + publish(version, '\ufeffmark', 'yes'));
      await client.expect(publish(version, '\ufeffmark', 'yes'));
      await ping(other);
      client.end();
      other.end();
    });

    it(`a character beyond U+FFFF, in version ${version} [MQTT-1.5.4-1]`, async () => {
      const client = await connected(port, version);
      client.send(subscribe(version, 1, { 'A\u{2a6d4}': 0 }));
      assert.match(await readPacket(client), /^90/);
      client.send(publish(version, 'A\u{2a6d4}', 'x'));
      await client.expect(publish(version, 'A\u{2a6d4}', 'x'));
      client.end();
    });
  }
});

describe('A variable byte integer in more bytes than it needs ends the connection [MQTT-1.5.5-1]', () => {
  malformed('Subscription Identifier', () => packet('82', '0001', group('0b 81 00'), text('f'), '00'), [5]);
  malformed(
    'Subscription Identifier of five bytes',
    () => packet('82 ', '0001', group('0b 80 80 80 80 01'), text('f'), '00'),
    [5],
  );
  malformed('Property Length', () => packet('30', text('t'), '80 00'), [5]);
  malformed('Property Length of five bytes', () => packet('30', text('t'), '80 80 80 80 01'), [5]);
  malformed('Remaining Length', () => 'c0 80 00', [5]);
  malformed('Remaining Length of five bytes (CVE-2026-21888)', () => 'c0 80 80 80 80 01');
});

describe('What the server sends has a length in the fewest bytes [MQTT-1.5.5-1]', () => {
  for (const length of [127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    it(`${length}`, async () => {
      const broker = await startBroker({ limits: { profile: 'off' } });
      after(broker.stop);
      const client = await connected(broker.port, 4);
      client.send(subscribe(4, 1, { t: 0 }));
      await client.expect('90 03 0001 00');
      const bytes = Buffer.from(packet('30', text('t'), '61'.repeat(length - 3)), 'hex');
      client.send(bytes);
      assert.ok((await client.read(bytes.length)).equals(bytes));
      await ping(client);
      client.end();
    });
  }
});

describe('Reserved flags of the fixed header that are not as required end the connection [MQTT-2.1.3-1] [MQTT3-2.2.2-2]', () => {
  const bodies: Record<string, string> = {
    '4': '0001',
    '5': '0001',
    '6': '0001',
    '7': '0001',
    '8': '0001 00 0001 66 00',
    a: '0001 00 0001 66',
    c: '',
    e: '',
  };
  for (const [type, body] of Object.entries(bodies)) {
    for (const flags of ['1', '4', '8', 'a']) malformed(`${type}${flags}`, () => packet(type + flags, body));
    malformed(`${type} with the flags of another type`, () => packet(type + ('68a'.includes(type) ? '0' : '2'), body));
  }
  for (const flags of ['1', '2', '4', '8']) malformed(`f${flags}`, () => packet(`f${flags}`, '19 00'));
  malformed('AUTH, which 3.1.1 has not', () => 'f0 00', [4]);
});

describe('Packet identifiers', () => {
  it('are none in QoS 0: what stands there is payload [MQTT-2.2.1-2]', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { 'no/id': 0 }));
    await client.expect('90 04 0001 00 00');
    const bytes = packet('30', text('no/id'), '00', '00 05 61');
    client.send(bytes);
    await client.expect(bytes);
    client.end();
  });

  for (const version of [4, 5] as const) {
    const zero: Record<string, string> = {
      'QoS 1': packet('32', text('t'), '0000', none(version), '61'),
      'QoS 2': packet('34', text('t'), '0000', none(version), '61'),
      PUBACK: '40 02 0000',
      PUBREC: '50 02 0000',
      PUBREL: '62 02 0000',
      PUBCOMP: '70 02 0000',
    };
    for (const [title, bytes] of Object.entries(zero)) {
      it(`of 0 end the connection: ${title} in version ${version} [MQTT-2.2.1-3] [MQTT3-2.3.1-1]`, async () => {
        const client = await connected(port, version);
        client.send(bytes);
        if (version === 5) await client.expect('e0 01 82');
        await client.closed();
      });
    }

    it(`are repeated in the answers, in version ${version} [MQTT-2.2.1-5] [MQTT-2.2.1-6]`, async () => {
      const client = await connected(port, version);
      client.send(subscribe(version, 0xfedc, { ids: 0 }));
      assert.match(await readPacket(client), /^90..fedc/);
      client.send(publish(version, 'no/one', 'x', { qos: 1, packetId: 0x1234 }));
      assert.match(await readPacket(client), /^40..1234/);
      client.send(publish(version, 'ids', 'x', { qos: 2, packetId: 0x1235 }));
      const answers = [await readPacket(client)];
      client.send('62 02 1235');
      answers.push(await readPacket(client), await readPacket(client));
      assert.ok(answers.includes('50021235') && answers.includes('70021235'), answers.join(' '));
      client.send(packet('a2', 'abcd', none(version), text('ids')));
      assert.match(await readPacket(client), /^b0..abcd/);
      client.end();
    });
  }
});

describe('A packet without properties [MQTT-2.2.2-1]', () => {
  it('says so with a length of zero', async () => {
    const client = await connected(port, 5);
    client.send(subscribe(5, 1, { plain: 0 }));
    await client.expect('90 04 0001 00 00');
    client.send(publish(5, 'plain', 'x'));
    await client.expect(publish(5, 'plain', 'x'));
    client.end();
  });

  it('that does not is malformed', async () => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, { will: will(4, 'w', 'm') }));
    await client.expect('20 03 00 81 00');
    await client.closed();
  });
});
