import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { needs, run, waitFor } from '@moat/testkit';
import { PskFile } from '../../dist/identity/psk-file.js';
import { ping, readPacket, startBroker, type TestBroker, testConfiguration } from '../support/broker.js';
import { TestAuthority } from '../support/certificates.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { recordingLog } from '../support/recording-log.js';

const [key, other] = ['a1'.repeat(16), 'b2'.repeat(32)];
const { events, log } = recordingLog(({ event, username = '', reason = '' }) => `${event} ${username} ${reason}`);

const listener = {
  bind: '127.0.0.1',
  port: 0,
  tls_version: 'tlsv1.2',
  psk_file: 'keys',
  use_identity_as_username: true,
};
const input = { listeners: [{ protocol: 'mqtts', ...listener }], authentication: {} } as object;

async function start(t: TestContext): Promise<TestBroker> {
  const prepare = (directory: string): Promise<unknown> => TestAuthority.create(directory);
  const running = await startBroker(input, { files: { keys: `pump-7:${key}\nvictim:${other}\n` }, prepare, log });
  t.after(running.stop);
  return running;
}

/** A handshake by a pre-shared key, with Node.js's client, which speaks TLS 1.2 then. */
async function handshake(port: number, identity: string, hex: string): Promise<TLSSocket> {
  const options: ConnectionOptions = {
    host: '127.0.0.1',
    port,
    ciphers: 'PSK+CHACHA20',
    maxVersion: 'TLSv1.2',
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    pskCallback: () => ({ identity, psk: Buffer.from(hex, 'hex') }),
  };
  const socket = connect(options);
  await once(socket, 'secureConnect');
  return socket;
}

/** CONNACK for what openssl sends over TLS 1.3. */
async function connackByTls13(
  port: number,
  identity: string,
  hex: string,
  ...more: readonly string[]
): Promise<string> {
  const args = [
    's_client',
    '-connect',
    `127.0.0.1:${port}`,
    '-tls1_3',
    '-quiet',
    '-psk_identity',
    identity,
    '-psk',
    hex,
    ...more,
  ];
  // DISCONNECT follows: so openssl ends when the broker does.
  const { bytes } = await run('openssl', args, {
    input: Buffer.from(`${connectPacket(4)}e000`.replaceAll(' ', ''), 'hex'),
  });
  return bytes.toString('hex');
}

describe('A pre-shared key', needs('openssl', 'mosquitto_pub'), () => {
  it('says who the client is, by TLS 1.2 and 1.3', async (t) => {
    const { port } = await start(t);
    const client = RawClient.over(await handshake(port, 'pump-7', key));
    client.send(connectPacket(4));
    await client.expect('20020000');
    assert.ok(events.includes('client.connected pump-7 psk'));
    client.end();
    assert.equal(await connackByTls13(port, 'victim', other), '20020000');
    assert.ok(events.includes('client.connected victim psk'));
  });

  it('is what the clients of Mosquitto show', async (t) => {
    const { port } = await start(t);
    const to = ['-h', '127.0.0.1', '-p', `${port}`, '-t', 'a', '-m', 'hello', '-q', '1'];
    const by = (hex: string): string[] => ['--psk-identity', 'pump-7', '--psk', hex];
    assert.equal((await run('mosquitto_pub', [...to, ...by(key)])).code, 0);
    assert.notEqual((await run('mosquitto_pub', [...to, ...by(other)])).code, 0);
  });

  it('that is wrong, or of nobody, lets nobody in', async (t) => {
    const { port } = await start(t);
    await assert.rejects(handshake(port, 'pump-7', other));
    await assert.rejects(handshake(port, 'nobody', key));
    assert.equal(await connackByTls13(port, 'pump-7', other), '');
    assert.equal(await connackByTls13(port, 'nobody', key), '20020005');
  });

  it('that was looked up but not used proves nothing: another cipher suite, and no knowledge of the key', async (t) => {
    const { port } = await start(t);
    for (const hex of [key, other]) {
      events.length = 0;
      assert.equal(await connackByTls13(port, 'victim', hex, '-ciphersuites', 'TLS_AES_256_GCM_SHA384'), '20020005');
      assert.ok(events.includes('auth.failed  no_credentials'), events.join('\n'));
    }
  });

  it('that is changed or removed ends its connections, and no other', async (t) => {
    const running = await start(t);
    const open = async (identity: string, hex: string): Promise<RawClient> => {
      const client = RawClient.over(await handshake(running.port, identity, hex));
      client.send(connectPacket(5));
      assert.match(await readPacket(client), /^20..0000/);
      return client;
    };
    const [changed, stays] = [await open('pump-7', key), await open('victim', other)];
    // One that has shaken hands by the old key, and says CONNECT when that counts no more.
    const late = RawClient.over(await handshake(running.port, 'pump-7', key));
    await writeFile(join(running.directory, 'draft'), `pump-7:${other}\nvictim:${other}\n`);
    await rename(join(running.directory, 'draft'), join(running.directory, 'keys'));
    await changed.expect('e0 01 87');
    await changed.closed();
    assert.ok(events.some((event) => event.startsWith('psk.withdrawn ')));
    late.send(connectPacket(4));
    await late.expect('20020005');
    await ping(stays);
    (await open('pump-7', other)).end();
    await writeFile(join(running.directory, 'keys'), '');
    await stays.expect('e0 01 87');
    await waitFor(() => running.broker.status().connections === 0);
  });

  it('counts only where a file of keys is configured', async (t) => {
    const running = await start(t);
    const { psk_file: _, ...without } = listener;
    await running.broker.reload(
      testConfiguration(running.directory, { ...input, listeners: [{ protocol: 'mqtts', ...without }] } as object),
    );
    await assert.rejects(handshake(running.broker.listeners[0]?.port ?? 0, 'pump-7', key));
  });
});

describe('A file of pre-shared keys', () => {
  for (const [title, text, problem] of [
    ['a line without colon', `# keys\n${key}`, /keys:2:1: the line has no colon/],
    ['a blank line', `a:${key}\n\n`, /keys:2:1: the line has no colon/],
    ['an identity twice', `a:${key}\na:${key}\n`, /keys:2:1: the identity has a key already/],
    ['an identity that is a topic', `a/b:${key}`, /keys:1:1: the identity holds one of/],
    ['no identity', `:${key}`, /keys:1:1: the identity is empty/],
    ['a key that is not hexadecimal', 'a:secret', /the key is not hexadecimal/],
    ['half an octet', `a:${key}0`, /the key is not hexadecimal/],
    ['a short key', `a:${'00'.repeat(15)}`, /the key has 15 bytes, not 16 to 64/],
    ['a long key', `a:${'00'.repeat(65)}`, /the key has 65 bytes/],
  ] as const) {
    it(`has not ${title}`, () => {
      assert.throws(
        () => PskFile.parse(text, 'keys'),
        (error) => problem.test(String(error)) && !String(error).includes(key),
      );
    });
  }
  it('may be empty, and hold keys of 16 to 64 bytes', () => {
    assert.equal(PskFile.parse('', 'keys').keyOf('a'), undefined);
    assert.equal(
      PskFile.parse(`a:${'00'.repeat(64)}\r\nb:${key}`, 'keys')
        .keyOf('b')
        ?.toString('hex'),
      key,
    );
  });
});
