import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ConnectOptions, connect } from '@moat/client';
import { deriveKeys, signature } from '@moat/scram';
import { Gsasl, needs } from '@moat/testkit';
import { ScramExchange } from '../dist/scram.js';
import { connack, startScripted } from './scripted.js';

/** RFC 7677 §3. */
const example = {
  first: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
  challenge: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  answer: 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  outcome: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

const begin = (): ScramExchange => new ScramExchange('SCRAM-SHA-256', 'user', 'pencil', 'rOprNGfwEbeRWgbNEkqO');

describe('SCRAM, the side of the client', () => {
  test('goes as in the example of RFC 7677', async () => {
    const exchange = begin();
    assert.equal(String(exchange.first()), example.first);
    assert.equal(String(await exchange.answer(Buffer.from(example.challenge))), example.answer);
    exchange.check(Buffer.from(example.outcome));
  });

  test('user names are prepared and escaped', () => {
    const first = (name: string) => String(new ScramExchange('SCRAM-SHA-512', name, 'p', 'nonce').first());
    assert.equal(first('a,b=c'), 'n,,n=a=2Cb=3Dc,r=nonce');
    assert.equal(first('\u2168'), 'n,,n=IX,r=nonce');
    for (const name of ['', 'a\u0007b'])
      assert.throws(() => new ScramExchange('SCRAM-SHA-256', name, 'p'), { code: 'invalid' });
  });

  test('is believed by GNU SASL, and believes it', needs('gsasl'), async () => {
    for (const username of ['user', 'a,b=c']) {
      const server = Gsasl.server('SCRAM-SHA-256', 'pencil', 4_096);
      const exchange = new ScramExchange('SCRAM-SHA-256', username, 'pencil');
      server.hears(exchange.first());
      server.hears(await exchange.answer(await server.says()));
      exchange.check(await server.says());
      assert.ok(await server.isContent());
    }
  });

  test('with a wrong password is refused by GNU SASL', needs('gsasl'), async () => {
    const server = Gsasl.server('SCRAM-SHA-256', 'pencil', 4_096);
    const exchange = new ScramExchange('SCRAM-SHA-256', 'user', 'pen');
    server.hears(exchange.first());
    server.hears(await exchange.answer(await server.says()));
    assert.throws(() => exchange.check(undefined), { code: 'unproven' });
    assert.equal(await server.isContent(), false);
  });

  const [nonce, salt] = ['r=rOprNGfwEbeRWgbNEkqOmore', 's=W22ZaJ0SNY7soEsUEjb6gQ=='];
  const challenges: [what: string, challenge: string | undefined, message: RegExp][] = [
    ['none', undefined, /not for us/],
    ['nothing', '', /not for us/],
    ['a nonce of its own', `r=somebodyElse,${salt},i=4096`, /not for us/],
    ['ours and nothing more', `r=rOprNGfwEbeRWgbNEkqO,${salt},i=4096`, /not for us/],
    ['no salt', `${nonce},s=,i=4096`, /not for us/],
    ['an extension that must be understood', `m=x,${nonce},${salt},i=4096`, /not for us/],
    ['too few iterations', `${nonce},${salt},i=4095`, /asked for 4095 iterations/],
    ['none at all', `${nonce},${salt},i=0`, /asked for 0 iterations/],
    ['hours of work', `${nonce},${salt},i=10000001`, /asked for 10000001 iterations/],
    ['2^31 iterations', `${nonce},${salt},i=2147483648`, /not for us/],
    ['a long text', `${nonce},${salt},i=4096,x=${'y'.repeat(2_000)}`, /not for us/],
    ['not UTF-8', `${nonce},${salt},i=4096\u{d800}`, /not for us/],
  ];
  for (const [what, challenge, message] of challenges)
    test(`answers no challenge that is wrong: ${what}`, async () => {
      await assert.rejects(begin().answer(challenge === undefined ? undefined : Buffer.from(challenge)), {
        code: 'unproven',
        message,
      });
    });

  const outcomes = ['', 'v=', 'e=other-error', example.outcome.replace('6rr', '7rr'), `${example.outcome},x=y`];
  for (const outcome of outcomes)
    test(`believes no outcome but the right one: ${outcome || 'nothing'}`, async () => {
      const exchange = begin();
      await exchange.answer(Buffer.from(example.challenge));
      assert.throws(() => exchange.check(Buffer.from(outcome)), { code: 'unproven' });
    });

  test('believes none before it was asked, and answers once', async () => {
    assert.throws(() => begin().check(Buffer.from(example.outcome)), { message: /without asking for a proof/ });
    const exchange = begin();
    await exchange.answer(Buffer.from(example.challenge));
    await assert.rejects(exchange.answer(Buffer.from(example.challenge)), { message: /asked twice/ });
  });
});

describe('A client with auth', () => {
  const options = (port: number): ConnectOptions => ({
    protocol: 'mqtt',
    host: '127.0.0.1',
    port,
    username: 'user',
    password: 'pencil',
    auth: 'scram-sha-256',
    connectTimeout: 10_000,
  });

  test('sends neither user name nor password', async () => {
    let seen = '';
    const { server, port } = await startScripted([
      (packet) => {
        seen = packet.toString('latin1');
        return [0x20, 3, 0, 0x87, 0];
      },
    ]);
    await assert.rejects(connect(options(port)), { code: 'refused', reasonCode: 0x87 });
    assert.match(seen, /SCRAM-SHA-256.*n,,n=user,r=/s);
    assert.ok(!seen.includes('pencil'));
    assert.equal(seen.charCodeAt(seen.indexOf('MQTT') + 5) & 0xc0, 0, 'the flags of user name and password');
    server.close();
  });

  test('ends, without trying again, where the server lets it in without a proof', async () => {
    const { server, port } = await startScripted([connack]);
    await assert.rejects(connect(options(port)), { code: 'unproven', message: /without asking for a proof/ });
    server.close();
  });

  const property = (id: number, data: Buffer | string): number[] => [id, 0, data.length, ...Buffer.from(data)];
  const auth = (method: string, data: string): number[] => {
    const properties = [...property(0x15, method), ...property(0x16, data)];
    return [0xf0, properties.length + 2, 0x18, properties.length, ...properties];
  };
  const nonceIn = (packet: Buffer): string => /r=([A-Za-z0-9+/=]+)/.exec(packet.toString('latin1'))?.[1] ?? '';

  test('ends where the server has a signature of its own making', async () => {
    const outcome = property(0x16, example.outcome);
    const { server, port } = await startScripted([
      (packet) => auth('SCRAM-SHA-256', `r=${nonceIn(packet)}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`),
      () => [0x20, outcome.length + 3, 0, 0, outcome.length, ...outcome],
    ]);
    await assert.rejects(connect(options(port)), { code: 'unproven', message: /its signature is wrong/ });
    server.close();
  });

  test('ends where the server asks for more work than it takes', async () => {
    const { server, port } = await startScripted([
      (packet) => auth('SCRAM-SHA-256', `r=${nonceIn(packet)}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999`),
    ]);
    await assert.rejects(connect(options(port)), { code: 'unproven', message: /asked for 999999999 iterations/ });
    server.close();
  });

  test('does not follow the server to another method', async () => {
    const { server, port } = await startScripted([
      (packet) => auth('PLAIN', `r=${nonceIn(packet)}x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`),
    ]);
    await assert.rejects(connect({ ...options(port), reconnect: false }), { code: 'refused', reasonCode: 0x82 });
    server.close();
  });

  test('proves itself anew, and believes only a server that does so, too', async () => {
    const [salt, method] = ['W22ZaJ0SNY7soEsUEjb6gQ==', 'SCRAM-SHA-256'] as const;
    const { serverKey } = await deriveKeys(method, 'pencil', Buffer.from(salt, 'base64'), 4_096);
    let asked = '';
    const challenge = (packet: Buffer): number[] => {
      const nonce = nonceIn(packet);
      asked = `n=user,r=${nonce},r=${nonce}x,s=${salt},i=4096,c=biws,r=${nonce}x`;
      return auth(method, `r=${nonce}x,s=${salt},i=4096`);
    };
    const outcome = (): string => `v=${signature(method, serverKey, asked).toString('base64')}`;
    const proven = (): number[] => {
      const data = property(0x16, outcome());
      return [0x20, data.length + 3, 0, 0, data.length, ...data];
    };
    const answer = (code: number, data: string): number[] => {
      const [first = 0, length = 0, , ...rest] = auth(method, data);
      return [first, length, code, ...rest];
    };
    const last: readonly (readonly [title: string, answer: () => number[], isGood: boolean])[] = [
      ['its proof', () => answer(0x00, outcome()), true],
      ['the proof of before', () => answer(0x00, outcome().replace(/=.{6}/, '=AAAAAA')), false],
      ['a request in place of one', () => answer(0x19, outcome()), false],
    ];
    for (const [title, ending, isGood] of last) {
      const { server, port } = await startScripted([challenge, proven, challenge, ending]);
      const client = await connect({ ...options(port), reconnect: false });
      const again = client.reauthenticate();
      if (isGood) await assert.rejects(client.reauthenticate(), { message: /going on already/ });
      if (isGood) await again;
      else await assert.rejects(again, { code: 'unproven' }, title);
      await client.close(100);
      server.close();
    }
    const { server, port } = await startScripted([connack]);
    const { auth: _, ...plain } = options(port);
    const client = await connect(plain);
    await assert.rejects(client.reauthenticate(), { code: 'invalid' });
    await client.close(100);
    server.close();
  });

  test('needs MQTT 5.0, a user name and a password', async () => {
    const { password: _, ...without } = options(1);
    await assert.rejects(connect({ ...options(1), protocolVersion: '3.1.1' }), { code: 'invalid' });
    await assert.rejects(connect(without), { code: 'invalid' });
  });
});
