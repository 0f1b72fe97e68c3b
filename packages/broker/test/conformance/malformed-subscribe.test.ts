import { after, describe, it } from 'node:test';
import { connected, ping, startBroker } from '../support/broker.js';
import { group, packet, text } from '../support/packets.js';

const { port, stop } = await startBroker();
after(stop);

/** Refused bytes: how 5.0 is told of them; before it the connection just closes. */
interface Vector {
  readonly title: string;
  readonly bytes: string;
  readonly code: '81' | '82';
}

/** SUBSCRIBE or UNSUBSCRIBE around `body`, which follows the packet identifier and, in 5.0, the properties. */
const around = (first: '82' | 'a2', version: 4 | 5, body: string): string =>
  packet(first, '0001', version === 5 ? group() : '', body);

function vectors(version: 4 | 5): Vector[] {
  const found: Vector[] = [];
  const add = (title: string, bytes: string, code: '81' | '82' = '81') => found.push({ title, bytes, code });
  for (const first of ['80', '83', '84', '86', '8a']) {
    add(`SUBSCRIBE that begins with ${first} [MQTT-3.8.1-1]`, first + around('82', version, `${text('p')}00`).slice(2));
  }
  for (const first of ['a0', 'a3', 'a4', 'a6', 'aa']) {
    add(`UNSUBSCRIBE that begins with ${first} [MQTT-3.10.1-1]`, first + around('a2', version, text('p')).slice(2));
  }
  for (const first of ['c1', 'c2', 'c4', 'c8']) add(`PINGREQ that begins with ${first} [MQTT-2.1.3-1]`, `${first}00`);
  add('PINGREQ with a byte too many [MQTT-3.12.4-1]', 'c0 01 00');
  const strings = {
    'U+0000 [MQTT-3.8.3-1] [MQTT-3.10.3-1] [MQTT-4.7.3-2]': '0003 610062',
    'a surrogate [MQTT-3.8.3-1] [MQTT-3.10.3-1]': '0004 61eda080',
    'an overlong character [MQTT-3.8.3-1] [MQTT-3.10.3-1]': '0002 c080',
    'a byte that is not UTF-8 [MQTT-3.8.3-1] [MQTT-3.10.3-1]': '0001 ff',
    'a character cut short [MQTT-3.8.3-1] [MQTT-3.10.3-1]': '0002 e282',
    'no character [MQTT-4.7.3-1]': '0000',
  };
  for (const [what, filter] of Object.entries(strings)) {
    add(`SUBSCRIBE to a filter with ${what}`, around('82', version, `${filter}00`));
    add(`SUBSCRIBE to a good filter and one with ${what}`, around('82', version, `${text('p')}00${filter}00`));
    add(`UNSUBSCRIBE from a filter with ${what}`, around('a2', version, filter));
    add(`UNSUBSCRIBE from a good filter and one with ${what}`, around('a2', version, text('p') + filter));
  }
  for (const filter of ['#/a', 'a#', 'a/#/b', '##', 'a/b#', '#/']) {
    add(`SUBSCRIBE to ${filter} [MQTT-4.7.1-1]`, around('82', version, `${text(filter)}00`));
    add(`UNSUBSCRIBE from ${filter} [MQTT-4.7.1-1]`, around('a2', version, text(filter)));
  }
  for (const filter of ['a+', '+a', 'a/+b', '++', 'a/b+/c']) {
    add(`SUBSCRIBE to ${filter} [MQTT-4.7.1-2]`, around('82', version, `${text(filter)}00`));
  }
  add('SUBSCRIBE to $share/#/p [MQTT-4.7.1-1]', around('82', version, `${text('$share/#/p')}00`));
  for (const filter of ['$share', '$share/', '$share//a', '$share/g']) {
    add(`SUBSCRIBE to ${filter} [MQTT-4.8.2-1]`, around('82', version, `${text(filter)}00`), '82');
  }
  for (const filter of ['$share/+/a', '$share/g/']) {
    add(`SUBSCRIBE to ${filter} [MQTT-4.8.2-2]`, around('82', version, `${text(filter)}00`), '82');
  }
  add('SUBSCRIBE to a filter without options [MQTT-3.8.3-2]', around('82', version, text('p')));
  add('SUBSCRIBE without filter [MQTT-3.8.3-2]', around('82', version, ''), '82');
  add('UNSUBSCRIBE without filter [MQTT-3.10.3-2]', around('a2', version, ''), '82');
  for (const length of [0, 1]) {
    add(`SUBSCRIBE of ${length} bytes [MQTT-3.8.3-2]`, `82 0${length} ${'00'.repeat(length)}`);
    add(`UNSUBSCRIBE of ${length} bytes [MQTT-3.10.3-2]`, `a2 0${length} ${'00'.repeat(length)}`);
  }
  add(
    'SUBSCRIBE with packet identifier 0 [MQTT-2.2.1-3]',
    around('82', version, `${text('p')}00`).replace('0001', '0000'),
  );
  add('UNSUBSCRIBE with packet identifier 0 [MQTT-2.2.1-3]', around('a2', version, text('p')).replace('0001', '0000'));
  add('SUBSCRIBE with a byte too many [MQTT-3.8.3-2]', around('82', version, `${text('p')}0000`));
  add('UNSUBSCRIBE with a byte too many [MQTT-3.10.3-2]', around('a2', version, `${text('p')}00`));
  return found;
}

const of4: Vector[] = ['03', '04', '08', '10', '20', '40', '80'].map((options) => ({
  title: `SUBSCRIBE with options ${options} [MQTT3-3.8.3-4]`,
  bytes: around('82', 4, text('p') + options),
  code: '81',
}));

const of5: Vector[] = [
  ...['40', '80', 'c0', 'f0'].map(
    (options): Vector => ({
      title: `SUBSCRIBE with options ${options} [MQTT-3.8.3-5]`,
      bytes: around('82', 5, text('p') + options),
      code: '81',
    }),
  ),
  { title: 'SUBSCRIBE with QoS 3 [MQTT-4.13.1-1]', bytes: around('82', 5, `${text('p')}03`), code: '82' },
  { title: 'SUBSCRIBE with Retain Handling 3 [MQTT-4.13.1-1]', bytes: around('82', 5, `${text('p')}30`), code: '82' },
  {
    title: 'SUBSCRIBE with No Local to a shared subscription [MQTT-3.8.3-4]',
    bytes: around('82', 5, `${text('$share/g/t')}04`),
    code: '82',
  },
  { title: 'subscription identifier 0 [MQTT-4.13.1-1]', bytes: '82 08 0001 02 0b00 0001 70 00', code: '82' },
  { title: 'two subscription identifiers [MQTT-4.13.1-1]', bytes: '82 0a 0001 04 0b010b02 0001 70 00', code: '82' },
  {
    title: 'a subscription identifier that is cut short [MQTT-4.13.1-1]',
    bytes: '82 07 0001 01 0b 0001 70 00',
    code: '81',
  },
  {
    title: 'a subscription identifier in too many bytes [MQTT-1.5.5-1]',
    bytes: '82 09 0001 03 0b8100 0001 70 00',
    code: '81',
  },
  {
    title: 'a subscription identifier of five bytes [MQTT-1.5.5-1]',
    bytes: '82 0c 0001 06 0b8080808001 0001 70 00',
    code: '81',
  },
  { title: 'a property of PUBLISH in SUBSCRIBE [MQTT-4.13.1-1]', bytes: '82 08 0001 02 0100 0001 70 00', code: '81' },
  {
    title: 'a subscription identifier in UNSUBSCRIBE [MQTT-4.13.1-1]',
    bytes: 'a2 07 0001 02 0b01 0001 70',
    code: '81',
  },
  { title: 'an unknown property in UNSUBSCRIBE [MQTT-4.13.1-1]', bytes: 'a2 07 0001 02 0400 0001 70', code: '81' },
  {
    title: 'a user property that is cut short [MQTT-4.13.1-1]',
    bytes: '82 0a 0001 04 26 0001 61 0001 70 00',
    code: '81',
  },
];

/** The statements of 3.1.1 have numbers of their own. */
const withoutTags = (title: string): string => title.replaceAll(/ \[MQTT[-][0-9.-]+\]/g, '');

describe('A client of MQTT 3.1.1 is disconnected without a word for', { concurrency: 8 }, () => {
  for (const { title, bytes } of [...vectors(4), ...of4]) {
    it(withoutTags(title), async () => {
      const client = await connected(port, 4);
      client.send(bytes);
      await client.closed();
    });
  }
});

describe('A client of MQTT 5.0 is told why it is disconnected for', { concurrency: 8 }, () => {
  for (const { title, bytes, code } of [...vectors(5), ...of5]) {
    it(title, async () => {
      const client = await connected(port, 5);
      client.send(bytes);
      await client.expect(`e0 01 ${code}`);
      await client.closed();
    });
  }
});

describe('After every refusal', () => {
  it('the broker serves the next client [MQTT-4.13.1-1]', async () => {
    for (const version of [4, 5] as const) {
      const client = await connected(port, version);
      await ping(client);
      client.end();
    }
  });
});
