import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ConfigurationInput } from '../../dist/index.js';
import { connected, ping, portOf, readPacket, startBroker, testConfiguration } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { type ConnectFields, connectPacket, publish, subscribe } from '../support/packets.js';
import { passwordFile } from '../support/passwords.js';
import { RawClient } from '../support/raw-client.js';

const passwords = await passwordFile({ alice: 'a', bob: 'b', carol: 'c', 'al*': 'x' });

async function start(t: TestContext, authentication: ConfigurationInput['authentication']): Promise<number> {
  const { port, stop } = await startBroker({ authentication }, { files: { passwords } });
  t.after(stop);
  return port;
}

async function answerTo(port: number, fields: ConnectFields, version: 4 | 5 = 5): Promise<string> {
  const client = await RawClient.connect(port);
  client.send(connectPacket(version, fields));
  const answer = (await readPacket(client)).slice(6, 8);
  client.end();
  return answer;
}

const alice = { username: 'alice', password: 'a' };
const bob = { username: 'bob', password: 'b' };

describe('Client identifiers', () => {
  it('must match a pattern, where there are any', async (t) => {
    const port = await start(t, {
      allow_anonymous: true,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
      clientid_patterns: ['${username}', '${username}:*', 'kiosk-*-in'],
    });
    const table: [clientId: string, fields: ConnectFields, answer: string][] = [
      ['alice', alice, '00'],
      ['alice:phone', alice, '00'],
      ['Alice', alice, '85'],
      ['alicex', alice, '85'],
      ['bob', alice, '85'],
      ['bob:phone', alice, '85'],
      ['kiosk-1-in', alice, '00'],
      ['kiosk-in', alice, '85'],
      ['', alice, '00'],
      ['alice', { username: 'al*', password: 'x' }, '85'],
      ['al*', { username: 'al*', password: 'x' }, '00'],
      ['kiosk-2-in', {}, '00'],
      ['', {}, '00'],
      [':x', {}, '85'],
    ];
    for (const [clientId, fields, answer] of table)
      assert.equal(await answerTo(port, { ...fields, clientId }), answer, `${clientId} of ${fields.username}`);
    assert.equal(await answerTo(port, { ...alice, clientId: 'bob' }, 4), '02');
  });

  it('hold nothing that cannot be seen', async (t) => {
    const port = await start(t, { allow_anonymous: true });
    for (const clientId of ['a\nb', 'a\u007fb', 'a\u200bb', '\u202eab', 'a\u2028b'])
      assert.equal(await answerTo(port, { clientId }), '85', JSON.stringify(clientId));
  });

  it('that the server assigns cannot be guessed', async (t) => {
    const port = await start(t, {});
    const client = await RawClient.connect(port);
    client.send(connectPacket(5, { ...alice, clientId: '' }));
    const answer = Buffer.from(await readPacket(client), 'hex').toString('latin1');
    const [, random = ''] = /alice:auto-([A-Za-z0-9_-]+)/.exec(answer) ?? [];
    assert.ok(random.length * 6 >= 128, answer);
    client.end();
  });

  it('give way to the user name where the operator says so, and a client without one of its own is told [MQTT-3.2.2-16]', async (t) => {
    const port = await start(t, { use_username_as_clientid: true, allow_anonymous: true });
    const first = await connected(port, 5, { ...alice, clientId: 'mine' });
    const second = await RawClient.connect(port);
    second.send(connectPacket(5, { ...alice, clientId: '' }));
    const assigned = '120005616c696365';
    assert.ok((await readPacket(second)).includes(assigned));
    assert.match(await readPacket(first), /^e0..8e/); // they are one client now
    const stranger = await RawClient.connect(port);
    stranger.send(connectPacket(5, { clientId: 'stranger' }));
    assert.ok(!(await readPacket(stranger)).includes('120008'));
    for (const client of [second, stranger]) client.end();
  });

  it('are refused where the certificate that is to name them names nobody', async (t) => {
    let device: object = {};
    const listener = { protocol: 'mqtts', bind: '127.0.0.1', port: 0, use_identity_as_clientid: 'san_email' } as const;
    const { broker, stop } = await startBroker(
      { listeners: [listener] },
      {
        prepare: async (directory) => {
          device = await (await TestAuthority.create(directory)).device('alice');
        },
      },
    );
    t.after(stop);
    const client = await RawClient.connect(portOf(broker), { tls: { rejectUnauthorized: false, ...device } });
    client.send(connectPacket(5, { clientId: 'mine' }));
    assert.equal((await readPacket(client)).slice(6, 8), '85');
    await client.closed();
  });

  it('may be empty for a clean session only before 5.0, whatever takes their place [MQTT3-3.1.3-8]', async (t) => {
    const port = await start(t, { use_username_as_clientid: true });
    assert.equal(await answerTo(port, { ...alice, clientId: '', cleanStart: false }, 4), '02');
    assert.equal(await answerTo(port, { ...alice, clientId: '' }, 4), '00');
    assert.equal(await answerTo(port, { ...alice, clientId: '', cleanStart: false }, 5), '00');
  });

  it('must be patterns that can be understood', async (t) => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
    for (const pattern of ['a*b*', '${clientid}', '${user}'])
      await assert.rejects(start(t, { clientid_patterns: [pattern] }), /may hold one \*/, pattern);
  });
});

describe('The session of a user', () => {
  const takeover = { session_takeover: [{ from: 'alice', to: 'bob' }] };
  const kept = { clientId: 'shared', cleanStart: false, properties: '11 0000003c' };

  it('is taken over by whom the operator names, with all that is in it, and then belongs to that one', async (t) => {
    const port = await start(t, takeover);
    const first = await connected(port, 5, { ...kept, ...alice });
    first.send(subscribe(5, 1, { 'a/#': 1 }));
    await readPacket(first);
    const second = await RawClient.connect(port);
    second.send(connectPacket(5, { ...kept, ...bob }));
    assert.match(await readPacket(second), /^20..0100/);
    assert.match(await readPacket(first), /^e0..8e/);
    second.send(publish(5, 'a/x', 'still subscribed'));
    assert.equal(await readPacket(second), publish(5, 'a/x', 'still subscribed'));
    assert.equal(await answerTo(port, { ...kept, ...alice }), '85');
    await ping(second);
    second.end();
  });

  it('is taken over while nobody is connected, too', async (t) => {
    const port = await start(t, takeover);
    const first = await connected(port, 5, { ...kept, ...alice });
    first.send('e000');
    await first.closed();
    const second = await RawClient.connect(port);
    second.send(connectPacket(5, { ...kept, ...bob }));
    assert.match(await readPacket(second), /^20..0100/);
    second.end();
  });

  it('is nobody else’s, and not the other way round', async (t) => {
    const port = await start(t, takeover);
    const owner = await connected(port, 5, { ...kept, ...alice });
    assert.equal(await answerTo(port, { ...kept, username: 'carol', password: 'c' }), '85');
    await ping(owner);
    const other = await connected(port, 5, { ...kept, ...bob, clientId: 'other' });
    assert.equal(await answerTo(port, { ...kept, ...alice, clientId: 'other' }), '85');
    await ping(other);
    owner.end();
    other.end();
  });
});

describe('A certificate and a password', () => {
  it('are both asked for, of one name, where a listener says all', async (t) => {
    let authority: TestAuthority | undefined;
    const { broker, stop } = await startBroker(
      {
        listeners: [
          {
            protocol: 'mqtts',
            bind: '127.0.0.1',
            port: 0,
            use_identity_as_username: 'cn',
            use_identity_as_clientid: 'cn',
            authenticate: 'all',
          },
        ],
        authentication: {},
      },
      {
        files: { passwords },
        prepare: async (directory) => {
          authority = await TestAuthority.create(directory);
        },
      },
    );
    t.after(stop);
    assert.ok(authority);
    const { ca } = authority;
    const device = await authority.device('alice');
    const port = portOf(broker);
    const attempt = async (fields: ConnectFields, certificate: object): Promise<string> => {
      const client = await RawClient.connect(port, { tls: { ca, ...certificate } });
      client.send(connectPacket(5, { clientId: 'mine', ...fields }));
      const answer = (await readPacket(client)).slice(6, 8);
      client.end();
      return answer;
    };
    assert.equal(await attempt(alice, device), '00');
    assert.equal(await attempt({ password: 'a' }, device), '00');
    assert.equal(broker.status().events['client.connected'], 2);
    assert.equal(await attempt({ ...alice, password: 'b' }, device), '86');
    assert.equal(await attempt({}, device), '86');
    assert.equal(await attempt(bob, device), '87');
    assert.equal(await attempt(alice, {}), '87');
  });

  it('cannot be asked for where the certificate names nobody', () => {
    const listener = { protocol: 'mqtts', authenticate: 'all' } as const;
    const wrong = { listeners: [listener] };
    assert.throws(() => testConfiguration('/tmp', wrong), /authenticate: all compares the user name/);
    testConfiguration('/tmp', { listeners: [{ ...listener, use_identity_as_username: 'cn' }], authentication: {} });
  });
});
