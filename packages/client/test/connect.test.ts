import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { type Client, type ConnectOptions, connect, type Protocol, type ProtocolVersion } from '@moat/client';
import { freePort, needs } from '@moat/testkit';
import { type Peer, startPeer } from './peer.js';

describe('A connection', needs('mosquitto', 'openssl'), () => {
  let peer: Peer;
  before(async () => {
    peer = await startPeer();
  });
  after(() => peer.stop());

  const alice = { username: 'alice', password: 'secret' };
  const once_ = { ...alice, reconnect: false } as const;

  function over(protocol: Protocol): ConnectOptions {
    const tls = protocol === 'mqtts' || protocol === 'wss' ? { ca: peer.ca.cert } : {};
    return { ...once_, protocol, port: peer.ports[protocol], ...tls };
  }

  async function roundTrip(client: Client, topic: string): Promise<string | undefined> {
    const subscription = await client.subscribe(topic, { qos: 1 });
    await client.publish(topic, 'hello', { qos: 1 });
    for await (const message of subscription) return message.payload.toString();
    return undefined;
  }

  for (const protocol of ['mqtt', 'mqtts', 'ws', 'wss'] as const) {
    for (const protocolVersion of ['3.1', '3.1.1', '5'] satisfies ProtocolVersion[]) {
      test(`MQTT ${protocolVersion} over ${protocol} carries a message to its subscriber`, async () => {
        const client = await connect({ ...over(protocol), protocolVersion });
        assert.equal(await roundTrip(client, `open/${protocol}/${protocolVersion}`), 'hello');
        await client.close();
      });
    }
  }

  test('a client certificate identifies the client', async () => {
    const { cert, key } = peer.device;
    const client = await connect({ port: peer.certificatePort, ca: peer.ca.cert, cert, key, reconnect: false });
    assert.equal(await roundTrip(client, 'any'), 'hello');
    await client.close();
  });

  test('a broker that wants a client certificate and gets none ends the connection', async () => {
    await assert.rejects(connect({ port: peer.certificatePort, ca: peer.ca.cert }), {
      code: 'tls',
      message: 'tlsv13 alert certificate required',
    });
  });

  for (const protocol of ['mqtts', 'wss'] as const) {
    test(`a certificate of an unknown authority is refused over ${protocol}`, async () => {
      const wrong = { ...over(protocol), ca: peer.otherCa.cert };
      await assert.rejects(connect(wrong), { code: 'tls', message: /is not issued by a trusted authority/ });
    });

    test(`a certificate of no authority that Node.js trusts is refused over ${protocol}`, async () => {
      const { ca: _, ...withoutCa } = over(protocol);
      await assert.rejects(connect(withoutCa), { code: 'tls' });
    });

    test(`a certificate for another host name is refused over ${protocol}`, async () => {
      await assert.rejects(connect({ ...over(protocol), host: '127.0.0.1' }), {
        code: 'tls',
        tlsCode: 'ERR_TLS_CERT_ALTNAME_INVALID',
      });
    });
  }

  test('a server that offers TLS 1.2 at most is refused, unless the caller allows it', async () => {
    const port = await freePort();
    const { server, ready } = startTls12(port);
    await ready;
    try {
      await assert.rejects(connect({ ...over('mqtts'), port }), { code: 'tls' });
      // The handshake succeeds now; nobody answers CONNECT there.
      const allowed = { ...over('mqtts'), port, minVersion: 'TLSv1.2', connectTimeout: 300 } as const;
      await assert.rejects(connect(allowed), { code: 'unreachable', message: /did not answer CONNECT in time/ });
    } finally {
      server.kill();
    }
  });

  function startTls12(port: number): { server: ChildProcess; ready: Promise<unknown> } {
    const { directory } = peer;
    const files = ['-cert', `${directory}/server.crt`, '-key', `${directory}/server.key`];
    const server = spawn('openssl', ['s_server', '-tls1_2', '-accept', `127.0.0.1:${port}`, ...files], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    return { server, ready: untilItAccepts(server) };
  }

  /** openssl says ACCEPT once it listens. */
  async function untilItAccepts(server: ChildProcess): Promise<void> {
    for await (const line of server.stdout ?? []) if (String(line).includes('ACCEPT')) return;
  }

  test('a port that does not speak TLS is told apart', async () => {
    await assert.rejects(connect({ ...over('wss'), port: peer.ports.ws }), {
      code: 'tls',
      message: /does not speak TLS/,
    });
  });

  test('a port where nothing listens is unreachable', async () => {
    const port = await freePort();
    await assert.rejects(connect({ ...over('mqtt'), port }), { code: 'unreachable', message: /ECONNREFUSED/ });
  });

  test('a wrong password is refused with the reason code of each version', async () => {
    const wrong = { ...over('mqtt'), password: 'wrong' };
    await assert.rejects(connect(wrong), { code: 'refused', reasonCode: 0x87 });
    await assert.rejects(connect({ ...wrong, protocolVersion: '3.1.1' }), { code: 'refused', reasonCode: 5 });
  });

  test('a refusal that is final is not tried again', async () => {
    await assert.rejects(
      connect({ ...over('mqtt'), password: 'wrong', reconnect: { minimum: 1, maximum: 1 }, retryFirst: true }),
      {
        code: 'refused',
      },
    );
  });

  test('an unreadable certificate is an error of TLS at once', async () => {
    await assert.rejects(connect({ ...over('mqtts'), cert: 'no', key: 'no' }), { code: 'tls', message: /unusable/ });
  });

  test('a session cannot be taken up without its client ID', async () => {
    await assert.rejects(connect({ cleanStart: false }), { code: 'invalid', message: /clientId/ });
  });

  test('certificates without TLS, and a certificate without its key, are invalid', async () => {
    await assert.rejects(connect({ protocol: 'mqtt', ca: 'x' }), { code: 'invalid' });
    await assert.rejects(connect({ cert: 'x' }), { code: 'invalid' });
  });
});
