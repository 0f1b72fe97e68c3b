import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Mechanism, mechanismNames } from '@moat/scram';
import { Gsasl, needs } from '@moat/testkit';
import { connected, ping, readPacket, startBroker, testConfiguration } from '../support/broker.js';
import { connectPacket, group, packet, text } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';
import { cheapVerifiers, ScramClient } from '../support/scram.js';

const users = { alice: 'wonderland', bob: 'builder' };

async function scramFile(passwords: Readonly<Record<string, string>>): Promise<string> {
  let file = '';
  for (const [user, password] of Object.entries(passwords))
    file += `${(await passwordFile({ [user]: password })).trimEnd()}${await cheapVerifiers(password)}\n`;
  return file;
}

const input = { authentication: {} };
const running = await startBroker(input, { files: { passwords: await scramFile(users) } });
const { port, broker, directory } = running;
after(running.stop);

const properties = (name: string, data: string): string => `15${text(name)}16${text(data)}`;
const auth = (reason: string, name: string, data: string): string =>
  packet('f0', reason, group(properties(name, data)));

/** The authentication data of a packet. */
function dataOf(hexadecimal: string, name: Mechanism): string {
  const [, rest = ''] = hexadecimal.split(`15${text(name)}16`.replaceAll(' ', ''));
  const length = Number.parseInt(rest.slice(0, 4), 16);
  return Buffer.from(rest.slice(4, 4 + 2 * length), 'hex').toString();
}

async function begin(name: Mechanism, scram: ScramClient): Promise<{ client: RawClient; challenge: string }> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(5, { clientId: `c${Math.random()}`, properties: properties(name, scram.first) }));
  const answer = await readPacket(client);
  assert.match(answer, /^f0..18/);
  return { client, challenge: dataOf(answer, name) };
}

async function login(name: Mechanism, user: string, password: string): Promise<{ client: RawClient; answer: string }> {
  const scram = new ScramClient(name, user, password);
  const { client, challenge } = await begin(name, scram);
  client.send(auth('18', name, scram.final(challenge)));
  const answer = await readPacket(client);
  if (/^20..0000/.test(answer)) assert.ok(scram.trusts(dataOf(answer, name)), 'the server proves itself, too');
  return { client, answer };
}

describe('SCRAM as enhanced authentication', () => {
  it('lets in who proves the password by GNU SASL, which believes the broker', needs('gsasl'), async () => {
    const name = 'SCRAM-SHA-256';
    for (const [password, good] of [
      ['wonderland', true],
      ['Wonderland', false],
    ] as const) {
      const gsasl = Gsasl.client(name, 'alice', password);
      const client = await RawClient.connect(port);
      const first = String(await gsasl.says());
      client.send(connectPacket(5, { clientId: 'gsasl', properties: properties(name, first) }));
      gsasl.hears(Buffer.from(dataOf(await readPacket(client), name)));
      client.send(auth('18', name, String(await gsasl.says())));
      const answer = await readPacket(client);
      assert.match(answer, good ? /^20..0000/ : /^20..0087/);
      if (good) {
        gsasl.hears(Buffer.from(dataOf(answer, name)));
        await ping(client);
        client.end();
      }
      assert.equal(await gsasl.isContent(), good);
    }
  });

  for (const name of mechanismNames) {
    it(`lets in who knows the password, by ${name}`, async () => {
      const { client, answer } = await login(name, 'alice', 'wonderland');
      assert.match(answer, /^20..0000/);
      await ping(client);
      client.end();
    });

    it(`answers a wrong password and an unknown user alike, by ${name}`, async () => {
      const wrong = await login(name, 'alice', 'Wonderland');
      const unknown = await login(name, 'mallory', 'x');
      assert.match(wrong.answer, /^20..0087/);
      assert.equal(unknown.answer, wrong.answer);
      await wrong.client.closed();
      await unknown.client.closed();
    });

    it(`renews the proof of the same user only, by ${name}`, async () => {
      const { client } = await login(name, 'alice', 'wonderland');
      for (const [user, password, answered] of [
        ['alice', 'wonderland', /^f0..00/],
        ['bob', 'builder', /^e0..87/],
      ] as const) {
        const scram = new ScramClient(name, user, password);
        client.send(auth('19', name, scram.first));
        client.send(auth('18', name, scram.final(dataOf(await readPacket(client), name))));
        const answer = await readPacket(client);
        assert.match(answer, answered);
        if (user === 'alice') assert.ok(scram.trusts(dataOf(answer, name)));
      }
      await client.closed();
    });
  }

  it('challenges an unknown user as a known one, the same way each time', async () => {
    const fixed = async (user: string): Promise<string[]> => {
      const { client, challenge } = await begin('SCRAM-SHA-256', new ScramClient('SCRAM-SHA-256', user, 'x'));
      client.end();
      return challenge.split(',').slice(1);
    };
    const [known, unknown, again, other] = [
      await fixed('alice'),
      await fixed('eve'),
      await fixed('eve'),
      await fixed('eva'),
    ];
    assert.deepEqual(again, unknown);
    assert.notEqual(other[0], unknown[0]);
    assert.equal(known[0]?.length, unknown[0]?.length);
    assert.equal(known[1], unknown[1]);
    const { mode, size } = await stat(join(directory, 'scram.key'));
    assert.deepEqual([mode & 0o777, size], [0o600, 32]);
  });

  it('is offered only as far as the password file has verifiers', async (t) => {
    const plain = await startBroker(input, { files: { passwords: await passwordFile(users) } });
    t.after(plain.stop);
    const client = await RawClient.connect(plain.port);
    client.send(connectPacket(5, { properties: properties('SCRAM-SHA-256', 'n,,n=alice,r=0123456789abcdef') }));
    assert.match(await readPacket(client), /^20..008c/);
    await client.closed();
  });

  it('ends with a password that was changed meanwhile, before and behind CONNACK', async () => {
    const name = 'SCRAM-SHA-256';
    const bob = await login(name, 'bob', 'builder');
    const plain = await connected(port, 5, { username: 'alice', password: 'wonderland', clientId: 'plain' });
    const scram = new ScramClient(name, 'bob', 'builder');
    const { client, challenge } = await begin(name, scram);
    await writeFile(join(directory, 'passwords'), await scramFile({ ...users, bob: 'another' }));
    await broker.reload(testConfiguration(directory, input));
    assert.match(await readPacket(bob.client), /^e0..87/);
    client.send(auth('18', name, scram.final(challenge)));
    assert.match(await readPacket(client), /^20..0087/);
    assert.match((await login(name, 'bob', 'another')).answer, /^20..0000/);
    // All of alice's verifiers are new, too; so she is sent away by her hash as well.
    assert.match(await readPacket(plain), /^e0..87/);
  });
});
