import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, describe, it } from 'node:test';
import type { Mechanism } from '@moat/scram';
import { hash } from '@node-rs/argon2';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { connectPacket, group, packet, text } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { cheapVerifiers, ScramClient } from '../support/scram.js';

const password = 'wonderland';
// Dear enough that it would show if it were computed for some names only: milliseconds.
const hashed = await hash(password, { memoryCost: 2_048, timeCost: 1, parallelism: 1 });
const file = `alice:${hashed}${await cheapVerifiers(password)}\n`;
// Nobody is locked out here: what is attacked is the proof itself.
const input = { authentication: {}, limits: { profile: 'off' } } as const;
const running = await startBroker(input, { files: { passwords: file } });
const { port, broker } = running;
after(running.stop);

const name: Mechanism = 'SCRAM-SHA-256';
const properties = (method: string, data: string): string => `15${text(method)}16${text(data)}`;

/** Begins an exchange; gives what comes back, and what the server said in it. */
async function begin(
  first: string,
  method: string = name,
): Promise<{ client: RawClient; answer: string; challenge: string }> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(5, { clientId: `c${Math.random()}`, properties: properties(method, first) }));
  const answer = await readPacket(client);
  const [, rest = ''] = answer.split(`15${text(method)}16`.replaceAll(' ', ''));
  const length = Number.parseInt(rest.slice(0, 4) || '0', 16);
  return { client, answer, challenge: Buffer.from(rest.slice(4, 4 + 2 * length), 'hex').toString() };
}

async function finish(client: RawClient, final: string): Promise<string> {
  client.send(packet('f0', '18', group(properties(name, final))));
  const answer = await readPacket(client);
  client.end();
  return answer;
}

const success = /^20..0000/;
const refused = /^20..0087/;

describe('Who does not know the password cannot prove it by SCRAM', () => {
  it('with what somebody else has sent before', async () => {
    const scram = new ScramClient(name, 'alice', password);
    const good = await begin(scram.first);
    const final = scram.final(good.challenge);
    assert.match(await finish(good.client, final), success);
    const again = await begin(scram.first);
    assert.notEqual(again.challenge, good.challenge, 'the nonce is another');
    assert.match(await finish(again.client, final), refused);
  });

  const changes: Record<string, (final: string) => string> = {
    'another nonce': (final) => final.replace(/,r=./, ',r=~'),
    'the nonce of the client alone': (final) => final.replace(/,r=[^,]+/, ',r=fyko+d2lbbFgONRv9qkxdawL'),
    'a header that asks for channel binding': (final) => final.replace('c=biws', `c=${base64('p=tls-unique,,')}`),
    'a header that says the server has none': (final) => final.replace('c=biws', `c=${base64('y,,')}`),
    'a name to act for': (final) => final.replace('c=biws', `c=${base64('n,a=admin,')}`),
    'a proof cut short': (final) => final.replace(/p=.*/, (proof) => proof.slice(0, -5)),
    'an empty proof': (final) => final.replace(/p=.*/, 'p='),
    'a proof of zeros': (final) => final.replace(/p=.*/, `p=${Buffer.alloc(32).toString('base64')}`),
    'no proof': (final) => final.replace(/,p=.*/, ''),
    'a proof for the other hash': (final) => final.replace(/p=.*/, `p=${Buffer.alloc(64, 1).toString('base64')}`),
    'an extension that must be understood': (final) => `m=x,${final}`,
    'more than anybody has to say': (final) => final.replace(',p=', `,x=${'x'.repeat(2_000)},p=`),
    nothing: () => '',
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`with ${what}, although all else is right`, async () => {
      const scram = new ScramClient(name, 'alice', password);
      const { client, challenge } = await begin(scram.first);
      assert.match(await finish(client, change(scram.final(challenge))), refused);
    });
  }

  it('by giving the server its own challenge, or its own last word, back', async () => {
    const scram = new ScramClient(name, 'alice', password);
    for (const reflect of [(challenge: string) => challenge, (challenge: string) => `${challenge},v=AAAA`]) {
      const { client, challenge } = await begin(scram.first);
      assert.match(await finish(client, reflect(challenge)), refused);
    }
  });

  for (const [what, first] of [
    ['asks for channel binding', 'p=tls-unique,,n=alice,r=fyko+d2lbbFgONRv9qkxdawL'],
    ['acts for somebody', 'n,a=admin,n=alice,r=fyko+d2lbbFgONRv9qkxdawL'],
    ['has a nonce that can be guessed', 'n,,n=alice,r=1'],
    ['is huge', `n,,n=${'a'.repeat(20_000)},r=fyko+d2lbbFgONRv9qkxdawL`],
  ] as const)
    it(`when the first message ${what}`, async () => {
      const { client, answer } = await begin(first);
      assert.match(answer, refused);
      await client.closed();
    });

  it('by a weaker mechanism, which is not there', async () => {
    for (const weaker of ['SCRAM-SHA-1', 'PLAIN', 'scram-sha-256']) {
      const { client, answer } = await begin('n,,n=alice,r=fyko+d2lbbFgONRv9qkxdawL', weaker);
      assert.match(answer, /^20..008c/);
      await client.closed();
    }
  });
});

describe('Who guesses', () => {
  /** One attempt from an address of loopback: the answer, in hexadecimal, and milliseconds until it came. */
  function guess(
    username: string,
    guessed: string,
    localAddress = '127.0.0.1',
  ): Promise<{ answer: string; took: number }> {
    return new Promise((resolve, reject) => {
      const startedAt = performance.now();
      const socket = connect({ host: '127.0.0.1', port, localAddress });
      socket.on('data', (data) => {
        resolve({ answer: data.toString('hex'), took: performance.now() - startedAt });
        socket.destroy();
      });
      socket.on('error', reject);
      socket.write(
        Buffer.from(connectPacket(5, { clientId: 'g', username, password: guessed }).replaceAll(' ', ''), 'hex'),
      );
    });
  }

  it('a thousand passwords from twenty addresses gets none of them, and others are let in meanwhile', async () => {
    const settled = connected(port, 5, { username: 'alice', password, clientId: 'settled' });
    const client = await settled;
    const guesses = Array.from({ length: 1_000 }, (_, index) =>
      guess('alice', `guess ${index}`, `127.0.0.${2 + (index % 20)}`),
    );
    const entered = await connected(port, 5, { username: 'alice', password, clientId: 'meanwhile' });
    await ping(client);
    const answers = new Set((await Promise.all(guesses)).map(({ answer }) => answer));
    assert.deepEqual(
      [...answers].filter((answer) => !/^20..008[67]/.test(answer)),
      [],
    );
    assert.ok((broker.status().events['auth.failed'] ?? 0) >= 1_000);
    await ping(entered);
    for (const one of [client, entered]) one.end();
  });

  it('a name learns nothing from the answer, and nothing from the time that it takes', async () => {
    const known: number[] = [];
    const unknown: number[] = [];
    // In turns, so that what else the machine does falls on both; each pair begins with the other one.
    for (let pair = 0; pair < 300; pair++) {
      const order = pair % 2 === 0 ? (['alice', 'nobody'] as const) : (['nobody', 'alice'] as const);
      const answers: string[] = [];
      for (const name of order) {
        const { answer, took } = await guess(name, 'wrong', '127.0.0.99'); // where neither has logged in
        (name === 'alice' ? known : unknown).push(took);
        answers.push(answer);
      }
      assert.equal(answers[0], answers[1]);
    }
    // How often one of the known is slower than one of the unknown: a half, when both are of one distribution.
    const slower = known.reduce((sum, one) => sum + unknown.filter((other) => one > other).length, 0);
    const share = slower / (known.length * unknown.length);
    assert.ok(share > 0.35 && share < 0.65, `${share}: ${median(known)} ms and ${median(unknown)} ms`);
  });
});

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[values.length >> 1] ?? 0;
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64');
}
