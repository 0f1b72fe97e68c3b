import { after, describe, it } from 'node:test';
import { connected, ping, startBroker } from '../support/broker.js';
import { group, packet, text } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const { port, stop } = await startBroker();
after(stop);

const bystander = await connected(port, 5);
after(() => bystander.end());

type Level = '03' | '04' | '05';

/** CONNECT with the given Connect Flags and whatever follows the keep-alive. */
const connect = (level: Level, flags: string, ...rest: readonly string[]): string =>
  packet('10', text(level === '03' ? 'MQIsdp' : 'MQTT'), level, flags, '003c', level === '05' ? '00' : '', ...rest);

/** CONNACK 0 of 5.0 with the limits of the standard profile. */
const connack = '20 0e 00 00 0b 22 0020 27 00100000 21 03e8';

const connack5 = (code: string): string => `20 03 00 ${code} 00`;

/** The whole answer is `answer`, then the end; who else is connected notices nothing. */
function refused(title: string, bytes: string, answer = ''): void {
  it(title, async () => {
    const client = await RawClient.connect(port);
    client.send(bytes);
    if (answer !== '') await client.expect(answer);
    await client.closed();
    await ping(bystander);
  });
}

function accepted(title: string, bytes: string, connack: string): void {
  it(title, async () => {
    const client = await RawClient.connect(port);
    client.send(bytes);
    await client.expect(connack);
    await ping(client);
    client.end();
  });
}

const c = text('c');

describe('The first packet that is not CONNECT ends the connection without a byte', () => {
  for (const first of ['00', '20', '30', '40', '50', '62', '70', '82', '90', 'a2', 'b0', 'c0', 'd0', 'e0', 'f0']) {
    refused(`${first}, whole [MQTT-3.1.0-1] [MQTT-3.14.0-1]`, `${first} 02 0001`);
    refused(`${first}, announcing 256 MB that never come [MQTT-3.1.0-1]`, `${first} ff ff ff 7f`);
    refused(`${first}, with a length of five bytes [MQTT-3.1.0-1]`, `${first} 80 80 80 80 01`);
  }
  for (const flags of ['01', '02', '04', '08']) refused(`Type 0 with the flags ${flags}`, `${flags} 00`);
});

describe('A CONNECT whose fixed header is wrong gets no answer', () => {
  for (const first of ['11', '12', '14', '18']) {
    refused(`Flags ${first} in 3.1.1 [MQTT-2.1.3-1] [MQTT3-2.2.2-2]`, connect('04', '02', c).replace('10', first));
    refused(`Flags ${first} in 5.0 [MQTT-2.1.3-1]`, connect('05', '02', c).replace('10', first));
  }
  refused('A remaining length of five bytes [MQTT-1.5.5-1]', '10 80 80 80 80 01');
  refused('A length beyond the limit, before anything of it came [MQTT-3.2.2-15]', '10 ff ff ff 7f');
  refused('A length that ends within the variable header', '10 07 0004 4d515454 04 02 003c 0001 61');
});

describe('A protocol name that is not known gets no answer', () => {
  for (const name of ['MQT', 'MQTTT', 'MQTU', 'mqtt', '', 'hj', 'MQIsdq']) {
    refused(`"${name}" [MQTT-3.1.2-1] [MQTT3-3.1.2-1]`, packet('10', text(name), '04 02 003c', c));
    refused(`"${name}" of 5.0 [MQTT-3.1.2-1]`, packet('10', text(name), '05 02 003c 00', c));
  }
});

describe('A protocol level that is not supported is answered in a form that it can read', () => {
  const level = (name: string, byte: string): string => packet('10', text(name), byte, '02 003c', c);
  for (const byte of ['06', '07', '63', '7f', '85', 'ff'])
    refused(`MQTT ${byte} [MQTT-3.1.2-2]`, level('MQTT', byte), connack5('84'));
  for (const byte of ['00', '01', '02', '03'])
    refused(`MQTT ${byte} [MQTT3-3.1.2-2]`, level('MQTT', byte), '20 02 00 01');
  for (const byte of ['02', '04']) refused(`MQIsdp ${byte} [MQTT3-3.1.2-2]`, level('MQIsdp', byte), '20 02 00 01');
  refused('MQIsdp 06 [MQTT-3.1.2-2]', level('MQIsdp', '06'), connack5('84'));
});

const clientIds = {
  'U+0000': '0003 610062',
  'a surrogate': '0003 eda080',
  'a lone FF': '0001 ff',
  'U+0085': '0002 c285',
};
const names = {
  'U+0000': '0002 6100',
  'a surrogate': '0003 edbfbf',
  'an overlong form': '0002 c080',
  'U+001F': '0001 1f',
};

for (const [level, version, malformed, badClientId] of [
  ['04', '3.1.1', '', ''],
  ['05', '5.0', connack5('81'), connack5('85')],
] as const) {
  const noWillProperties = level === '05' ? '00' : '';
  const noLength = level === '05' ? group() : '';

  describe(`A CONNECT of ${version} whose flags and fields are at odds is refused`, () => {
    const cases: readonly [title: string, flags: string, ...fields: string[]][] = [
      ['The reserved flag [MQTT-3.1.2-3] [MQTT3-3.1.4-1] [MQTT-3.1.4-1]', '03', c],
      ['Will QoS 1 without will [MQTT-3.1.2-11] [MQTT3-3.1.2-11]', '0a', c],
      ['Will QoS 2 without will [MQTT-3.1.2-11] [MQTT3-3.1.2-11]', '12', c],
      ['Will QoS 3 without will [MQTT-3.1.2-11] [MQTT3-3.1.2-11]', '1a', c],
      ['Will retain without will [MQTT-3.1.2-13] [MQTT3-3.1.2-11]', '22', c],
      ['Will QoS 3 [MQTT-3.1.2-12]', '1e', c, noWillProperties, text('w'), text('m')],
      ['A will that is not there [MQTT-3.1.2-9]', '06', c],
      ['A will without payload [MQTT-3.1.2-9]', '06', c, noWillProperties, text('w')],
      ['Will fields without the flag [MQTT3-3.1.2-11]', '02', c, noWillProperties, text('w'), text('m')],
      ['A user name that is not announced [MQTT-3.1.2-16]', '02', c, text('u')],
      ['A user name that is not there [MQTT-3.1.2-17]', '82', c],
      ['A password that is not announced [MQTT-3.1.2-18]', '82', c, text('u'), text('p')],
      ['A password that is not there [MQTT-3.1.2-19]', 'c2', c, text('u')],
      ['No client identifier [MQTT-3.1.3-3]', '02'],
      ['A client identifier cut short [MQTT-3.1.3-3]', '02', '0005 61'],
      ['A byte behind the last field', '02', c, '00'],
    ];
    for (const [title, flags, ...fields] of cases) refused(title, connect(level, flags, ...fields), malformed);
  });

  describe(`A CONNECT of ${version} with text that is none is refused`, () => {
    for (const [title, field] of Object.entries(clientIds)) {
      const tags = '[MQTT-3.1.3-4] [MQTT-3.1.3-8] [MQTT3-3.1.4-1]';
      refused(`${title} in the client identifier ${tags}`, connect(level, '02', field), badClientId);
    }
    for (const [title, field] of Object.entries(names)) {
      const topic = connect(level, '06', c, noLength, field, text('m'));
      refused(`${title} in the will topic [MQTT-3.1.3-11] [MQTT-1.5.4-1] [MQTT-1.5.4-2]`, topic, malformed);
      refused(`${title} in the user name [MQTT-3.1.3-12]`, connect(level, '82', c, field), malformed);
    }
    for (const topic of ['w/#', '+', 'w+', '']) {
      const answer = level === '05' ? connack5('90') : '';
      const bytes = connect(level, '06', c, noLength, text(topic), text('m'));
      refused(`"${topic}" as will topic [MQTT-4.7.0-1] [MQTT-4.7.3-1]`, bytes, answer);
    }
  });

  it(`A CONNECT of ${version} cut short at any byte is never accepted [MQTT-3.1.4-1] [MQTT3-3.1.4-1] [MQTT3-3.2.2-6]`, async () => {
    const whole = connect(level, 'c6', c, noLength, text('w'), text('m'), text('u'), text('p')).replaceAll(' ', '');
    const body = whole.slice(4);
    for (let length = 0; length < body.length; length += 2) {
      const client = await RawClient.connect(port);
      client.send(packet('10', body.slice(0, length)));
      const isAnswered = level === '05' && length >= 14;
      if (isAnswered) await client.expect(malformed);
      await client.closed();
    }
    await ping(bystander);
  });
}

describe('What only looks malformed is accepted', () => {
  accepted('Client identifier, will topic and payload that are equal', connect('04', '06', c, c, c), '20 02 00 00');
  accepted('An empty will payload [MQTT-3.1.2-9]', connect('04', '06', c, text('w'), '0000'), '20 02 00 00');
  accepted('3.1 with the reserved flag', connect('03', '03', c), '20 02 00 00');
  accepted('3.1 with flags in its fixed header', connect('03', '02', c).replace('10', '14'), '20 02 00 00');
  accepted('3.1 with the bit that a bridge sets', packet('10', text('MQIsdp'), '83 02 003c', c), '20 02 00 00');
});

describe('A password', () => {
  refused('without user name is refused in 3.1.1 [MQTT3-3.1.2-22]', connect('04', '42', c, text('p')));
  accepted('without user name is lawful in 5.0 [MQTT-3.1.2-19]', connect('05', '42', c, text('p')), connack);
  accepted('may hold any bytes', connect('04', 'c2', c, text('u'), '0003 00 ff 80'), '20 02 00 00');
  accepted('is not needed beside an empty user name', connect('04', '82', c, '0000'), '20 02 00 00');
});

describe('A second CONNECT ends the connection', () => {
  for (const [level, answer] of [
    ['05', `${connack} e0 01 82`],
    ['04', '20 02 00 00'],
  ] as const) {
    const bytes = connect(level, '02', c);
    const tags = '[MQTT-3.1.0-2] [MQTT-3.2.0-2] [MQTT3-3.1.0-2]';
    refused(`of level ${level}, both in one write ${tags}`, `${bytes} ${bytes}`, answer);
  }
});
