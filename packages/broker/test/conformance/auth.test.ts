import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { AuthenticationMethod } from '../../dist/index.js';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { answerTo, challengeMethod } from '../support/challenge-method.js';
import { type ConnectFields, connectPacket, group, packet, publish, subscribe, text } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const secrets = { alice: 'wonder', bob: 'builder' };
const challengeOf = (exchange: number): Buffer => Buffer.from(`challenge ${exchange}`);
const { port, stop } = await startBroker(
  {},
  { authenticationMethods: [challengeMethod(secrets, challengeOf), impatientMethod()] },
);
after(stop);

const CHALLENGE = text('CHALLENGE');

/** AUTH with the method and data. */
function auth(reasonCode: string, method: string, data?: string | Buffer): string {
  return packet('f0', reasonCode, group('15', method, data === undefined ? '' : `16${text(String(data))}`));
}

/** Authentication data is binary: here in hexadecimal with its length. */
function authBinary(reasonCode: string, data: Buffer): string {
  const length = data.length.toString(16).padStart(4, '0');
  return packet('f0', reasonCode, group('15', CHALLENGE, '16', length, data.toString('hex')));
}

/** What the server asked, out of an AUTH packet. */
function challengeIn(auth: string): Buffer {
  assert.match(auth, new RegExp(`^f0..18..15${CHALLENGE}16`), 'an AUTH that goes on');
  return Buffer.from(auth.slice(auth.indexOf(`15${CHALLENGE}16`) + 2 + CHALLENGE.length + 2 + 4), 'hex');
}

function hello(username: string, fields: ConnectFields = {}): string {
  const properties = `15${CHALLENGE}16${text(username)}${fields.properties ?? ''}`;
  return connectPacket(5, { ...fields, properties });
}

/** A client that has authenticated, with its CONNACK read. */
async function authenticated(username: keyof typeof secrets, fields: ConnectFields = {}): Promise<RawClient> {
  const client = await RawClient.connect(port);
  client.send(hello(username, fields));
  const challenge = challengeIn(await readPacket(client));
  client.send(authBinary('18', answerTo(challenge, secrets[username])));
  assert.match(await readPacket(client), /^20..0000/);
  return client;
}

/** A method that denies everybody at once, and one that breaks. */
function impatientMethod() {
  return {
    name: 'IMPATIENT',
    begin: () => ({
      next: (data: Uint8Array | undefined) => {
        if (data === undefined) throw new Error('this method is broken');
        return { denied: 'exchange_failed' as const };
      },
    }),
  };
}

describe('Enhanced authentication', () => {
  it('goes by AUTH packets that repeat the method, up to a CONNACK with the server’s data [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-3.15.2-1]', async () => {
    const client = await RawClient.connect(port);
    client.send(hello('alice'));
    const challenge = challengeIn(await readPacket(client));
    assert.match(challenge.toString(), /^challenge \d+$/);
    client.send(authBinary('18', answerTo(challenge, secrets.alice)));
    assert.match(await readPacket(client), new RegExp(`^20..0000.*15${CHALLENGE}16${text('welcome alice')}`));
    await ping(client);
    client.end();
  });

  it('by an unknown method ends with CONNACK 0x8C [MQTT-4.12.0-1]', async () => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, { properties: `15${text('nope')}16 0001 00` }));
    await client.expect('20 03 00 8c 00');
    await client.closed();
  });

  it('with a wrong proof ends with CONNACK 0x87, and a right one after it is not looked at [MQTT-4.12.0-4] [MQTT-3.1.4-6]', async () => {
    const client = await RawClient.connect(port);
    client.send(hello('alice'));
    const challenge = challengeIn(await readPacket(client));
    client.send(authBinary('18', answerTo(challenge, 'guess')) + authBinary('18', answerTo(challenge, secrets.alice)));
    await client.expect('20 03 00 87 00');
    await client.closed();
  });

  it('may be denied in its first step [MQTT-4.12.0-4]', async () => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, { properties: `15${text('IMPATIENT')}16 0001 00` }));
    await client.expect('20 03 00 87 00');
    await client.closed();
  });

  it('by a method that breaks costs that client its connection, and nobody else [MQTT-4.12.0-4]', async () => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, { properties: `15${text('IMPATIENT')}` }));
    await client.expect('20 03 00 83 00');
    await client.closed();
    (await authenticated('bob')).end();
  });

  const broken: Readonly<Record<string, string>> = {
    'AUTH 0x19 before CONNACK [MQTT-4.12.0-3]': auth('19', CHALLENGE),
    'AUTH 0x00, which only servers send [MQTT-3.15.2-1]': auth('00', CHALLENGE),
    'AUTH with an unknown reason code [MQTT-3.15.2-1]': auth('01', CHALLENGE),
    'AUTH without a method [MQTT-4.12.0-5]': 'f0 02 18 00',
    'AUTH of another method [MQTT-4.12.0-5]': auth('18', text('IMPATIENT'), 'x'),
    'an empty AUTH [MQTT-3.15.2-1]': 'f0 00',
    'PINGREQ [MQTT-3.1.2-30]': 'c0 00',
    'PUBLISH [MQTT-3.1.2-30]': publish(5, 'auth/early', 'x'),
    'SUBSCRIBE [MQTT-3.1.2-30]': subscribe(5, 1, { 'auth/early': 0 }),
    'PUBACK [MQTT-3.1.2-30]': '40 02 0001',
    'PUBREL that follow one another [MQTT-3.1.2-30]': '62 02 0001 62 02 0002',
    'a second CONNECT [MQTT-3.1.2-30]': connectPacket(5),
  };
  for (const [title, bytes] of Object.entries(broken)) {
    it(`is given up at ${title}, with a CONNACK that says so`, async () => {
      const [watcher, client] = [await connected(port, 5), await RawClient.connect(port)];
      watcher.send(subscribe(5, 1, { 'auth/#': 0 }));
      await readPacket(watcher);
      client.send(hello('alice'));
      challengeIn(await readPacket(client));
      client.send(bytes);
      await client.expect('20 03 00 82 00');
      await client.closed();
      await ping(watcher);
      watcher.end();
    });
  }

  for (const first of ['f1', 'f2', 'f4', 'f8']) {
    it(`is given up at a byte ${first} in place of AUTH [MQTT-3.15.1-1]`, async () => {
      const client = await RawClient.connect(port);
      client.send(hello('alice'));
      challengeIn(await readPacket(client));
      client.send(first + auth('18', CHALLENGE).slice(2));
      await client.expect('20 03 00 81 00');
      await client.closed();
    });
  }

  it('is given up at DISCONNECT, without an answer [MQTT-3.1.2-30] [MQTT-3.14.0-1]', async () => {
    const client = await RawClient.connect(port);
    client.send(hello('alice'));
    challengeIn(await readPacket(client));
    client.send('e0 00');
    await client.closed();
  });

  it('is not offered to a client that names no method [MQTT-4.12.0-6]', async () => {
    const client = await RawClient.connect(port);
    client.send(connectPacket(5));
    const connack = await readPacket(client);
    assert.match(connack, /^20..0000/);
    assert.doesNotMatch(connack, /15....43/);
    await ping(client);
    client.end();
  });

  it('lets the session go on that the same principal had', async () => {
    const fields = { clientId: 'enhanced', cleanStart: false, properties: '11 0000003c' };
    (await authenticated('alice', fields)).end();
    const thief = await RawClient.connect(port);
    thief.send(hello('bob', fields));
    thief.send(authBinary('18', answerTo(challengeIn(await readPacket(thief)), secrets.bob)));
    assert.match(await readPacket(thief), /^200300(85|87)00$/);
    await thief.closed();
    const client = await RawClient.connect(port);
    client.send(hello('alice', fields));
    client.send(authBinary('18', answerTo(challengeIn(await readPacket(client)), secrets.alice)));
    assert.match(await readPacket(client), /^20..0100/);
    client.end();
  });
});

describe('AUTH without a method in CONNECT', () => {
  for (const [title, bytes] of Object.entries({
    'f0 00': 'f0 00',
    'a request to authenticate again': auth('19', CHALLENGE, 'alice'),
    'an answer to nothing': auth('18', CHALLENGE, 'x'),
  })) {
    it(`ends the connection: ${title} [MQTT-4.12.0-7]`, async () => {
      const client = await connected(port, 5);
      client.send(bytes);
      await client.expect('e0 01 82');
      await client.closed();
    });
  }

  for (const first of ['f1', 'f2', 'f4', 'f8']) {
    it(`ends the connection: flags in ${first} [MQTT-3.15.1-1]`, async () => {
      const client = await connected(port, 5);
      client.send(`${first} 00`);
      await client.expect('e0 01 81');
      await client.closed();
    });
  }

  it('ends a connection of 3.1.1, which has no such packet', async () => {
    const client = await connected(port, 4);
    client.send('f0 00');
    await client.closed();
  });
});

describe('Authenticating again', () => {
  it('goes the same way, and the connection lives on with its subscriptions [MQTT-4.12.1-1]', async () => {
    const client = await authenticated('alice');
    client.send(subscribe(5, 1, { 'auth/again': 0 }));
    await client.expect('90 04 0001 00 00');
    client.send(auth('19', CHALLENGE, 'alice'));
    const challenge = challengeIn(await readPacket(client));
    // While it goes on, everything else does too.
    client.send(publish(5, 'auth/again', 'meanwhile'));
    assert.equal(await readPacket(client), publish(5, 'auth/again', 'meanwhile'));
    client.send(authBinary('18', answerTo(challenge, secrets.alice)));
    assert.equal(await readPacket(client), auth('00', CHALLENGE, 'welcome alice'));
    client.send(publish(5, 'auth/again', 'after'));
    assert.equal(await readPacket(client), publish(5, 'auth/again', 'after'));
    client.end();
  });

  it('with a wrong proof ends with DISCONNECT 0x87, and the will [MQTT-4.12.1-2]', async () => {
    const watcher = await connected(port, 5);
    watcher.send(subscribe(5, 1, { 'auth/will': 0 }));
    await readPacket(watcher);
    const client = await authenticated('alice', {
      will: { flags: 0x04, fields: `00${text('auth/will')}${text('gone')}` },
    });
    client.send(auth('19', CHALLENGE, 'alice'));
    client.send(authBinary('18', answerTo(challengeIn(await readPacket(client)), 'guess')));
    await client.expect('e0 01 87');
    await client.closed();
    assert.equal(await readPacket(watcher), publish(5, 'auth/will', 'gone'));
    watcher.end();
  });

  it('as somebody else ends with DISCONNECT 0x87 [MQTT-4.12.1-2]', async () => {
    const client = await authenticated('alice');
    client.send(auth('19', CHALLENGE, 'bob'));
    client.send(authBinary('18', answerTo(challengeIn(await readPacket(client)), secrets.bob)));
    await client.expect('e0 01 87');
    await client.closed();
  });

  const broken: Readonly<Record<string, string>> = {
    'by another method [MQTT-4.12.1-1]': auth('19', text('IMPATIENT'), 'x'),
    'by an unknown method [MQTT-4.12.1-1]': auth('19', text('nope')),
    'without a method [MQTT-4.12.1-1]': 'f0 02 19 00',
    'in an answer that nobody asked for [MQTT-4.12.0-3]': auth('18', CHALLENGE, 'x'),
    'with a success of its own making [MQTT-3.15.2-1]': auth('00', CHALLENGE),
  };
  for (const [title, bytes] of Object.entries(broken)) {
    it(`${title} ends with DISCONNECT 0x82`, async () => {
      const client = await authenticated('alice');
      client.send(bytes);
      await client.expect('e0 01 82');
      await client.closed();
    });
  }
});

describe('AUTH of the server', () => {
  it('is never larger than the client takes: it has neither reason string nor user properties [MQTT-3.15.2-2] [MQTT-3.15.2-3]', async () => {
    const talkative = await startBroker(
      { reason_strings: true },
      { authenticationMethods: [challengeMethod(secrets, challengeOf)] },
    );
    after(talkative.stop);
    const expected = auth('18', CHALLENGE, 'challenge 0');
    const largest = (expected.length / 2).toString(16).padStart(8, '0');
    const client = await RawClient.connect(talkative.port);
    client.send(hello('alice', { properties: `27 ${largest}` }));
    assert.equal(await readPacket(client), expected);
    client.end();
  });
});

describe('A proof that ends', () => {
  it('ends its connection, unless it was renewed by then', async (t) => {
    const lifetimes = [1_500, 3_600_000, 1_500];
    const method: AuthenticationMethod = {
      name: 'CHALLENGE',
      begin: () => ({
        next: () => ({
          principal: { username: 'alice', method: 'password', expiresAt: Date.now() + (lifetimes.shift() ?? 0) },
        }),
      }),
    };
    const running = await startBroker({}, { authenticationMethods: [method] });
    t.after(running.stop);
    const connect = async (clientId: string): Promise<RawClient> => {
      const client = await RawClient.connect(running.port);
      client.send(connectPacket(5, { clientId, properties: `15${CHALLENGE}` }));
      assert.match(await readPacket(client), /^20..0000/);
      return client;
    };
    const renewed = await connect('renewed');
    renewed.send(auth('19', CHALLENGE));
    assert.match(await readPacket(renewed), /^f0..00/);
    const ended = await connect('ended');
    assert.match(await readPacket(ended), /^e0..87/);
    await ended.closed();
    await ping(renewed);
    assert.equal(running.broker.status().events['auth.revoked'], 1);
    const late = await RawClient.connect(running.port);
    late.send(connectPacket(5, { clientId: 'late', properties: `15${CHALLENGE}` }));
    assert.match(await readPacket(late), /^20..0087/);
    renewed.end();
  });
});
