import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { after, describe, it } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { waitFor } from '@moat/testkit';
import { portOf, readPacket, startBroker } from '../support/broker.js';
import { type ClientIdentity, strangerNamed, TestAuthority } from '../support/certificates.js';
import { connectPacket, type Version } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { RawWebSocket } from '../support/web-socket.js';

let authority: TestAuthority | undefined;
/** Who bears what; nobody bears nothing. */
const identities = new Map<string, ClientIdentity>();
const { broker, stop } = await startBroker(
  {
    listeners: [
      { protocol: 'mqtts', bind: '127.0.0.1', port: 0 },
      { protocol: 'mqtts', bind: 'localhost', port: 0, tls_version: 'tlsv1.2' },
      { protocol: 'wss', bind: '127.0.0.1', port: 0, crlfile: 'pki/ca.crl', require_certificate: true },
      {
        protocol: 'mqtts',
        bind: '127.0.0.2',
        port: 0,
        crlfile: 'pki/ca.crl',
        require_certificate: true,
        use_identity_as_username: 'cn',
      },
    ],
  },
  {
    prepare: async (directory) => {
      authority = await TestAuthority.create(directory);
      identities.set('good', await authority.device('good'));
      identities.set('revoked', await authority.device('revoked'));
      await authority.revoke('revoked');
      identities.set('stranger', await strangerNamed('good'));
    },
  },
);
after(stop);
const ca = authority?.ca ?? '';
const [modern, old, , strict] = broker.listeners.map(({ port }) => port) as [number, number, number, number];
const handshakeAt = (port: number, options: ConnectionOptions = {}, host = '127.0.0.1'): Promise<TLSSocket> =>
  handshake({ host, port, ca, ...options });

async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect(options);
  await once(socket, 'secureConnect');
  return socket;
}

/** What CONNECT is answered with on the listener that wants a certificate. */
async function answerTo(version: Version, identity: ClientIdentity | undefined): Promise<string> {
  const socket = await handshakeAt(strict, { ...identity }, '127.0.0.2');
  const client = RawClient.over(socket);
  client.send(connectPacket(version));
  const connack = await readPacket(client);
  client.end();
  return connack;
}

describe('A TLS listener', () => {
  it('speaks TLS 1.3 and refuses TLS 1.2 by default', async () => {
    const socket = await handshakeAt(modern);
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    socket.destroy();
    await assert.rejects(handshakeAt(modern, { maxVersion: 'TLSv1.2' }), /protocol version/);
  });

  it('speaks TLS 1.2 where it is configured, with forward secrecy, and nothing older', async () => {
    const socket = await handshakeAt(old, { maxVersion: 'TLSv1.2' }, 'localhost');
    assert.equal(socket.getProtocol(), 'TLSv1.2');
    assert.match(socket.getCipher().name, /^ECDHE-/);
    socket.destroy();
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES128-GCM-SHA256' } as const;
    await assert.rejects(handshakeAt(old, weak, 'localhost'), /handshake failure/);
    const ancient = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await assert.rejects(handshakeAt(old, ancient, 'localhost'), /protocol version/);
  });

  it('answers to the ALPN name mqtt, to no name, and to no other', async () => {
    for (const [offered, selected] of [
      [['mqtt'], 'mqtt'],
      [['h2', 'mqtt'], 'mqtt'],
      [[], false],
    ] as const) {
      const socket = await handshakeAt(modern, { ALPNProtocols: [...offered] });
      assert.equal(socket.alpnProtocol, selected);
      socket.destroy();
    }
    await assert.rejects(handshakeAt(modern, { ALPNProtocols: ['h2'] }), /no application protocol/);
  });

  it('answers to the ALPN names that it is given, the first that the client knows', async (t) => {
    const listener = { protocol: 'mqtts', bind: '127.0.0.1', port: 0, alpn: ['first', 'second'] } as const;
    const named = await startBroker(
      { listeners: [{ ...listener, alpn: [...listener.alpn] }] },
      { prepare: TestAuthority.create },
    );
    t.after(named.stop);
    const selected = async (...ALPNProtocols: string[]): Promise<string | false | null> => {
      const socket = await handshakeAt(named.port, { ALPNProtocols, rejectUnauthorized: false });
      socket.destroy();
      return socket.alpnProtocol;
    };
    assert.equal(await selected('second', 'first'), 'first');
    assert.equal(await selected('mqtt', 'second'), 'second');
    await assert.rejects(selected('mqtt'), /no application protocol/);
  });

  it('resumes no TLS session: each connection proves itself anew', async () => {
    const first = await handshakeAt(modern);
    const sessions: Buffer[] = [];
    first.on('session', (session: Buffer) => sessions.push(session));
    const client = RawClient.over(first);
    client.send(`${connectPacket(4)}c000`);
    await client.expect('20020000 d000');
    const second = await handshakeAt(modern, sessions[0] === undefined ? {} : { session: sessions[0] });
    assert.equal(second.isSessionReused(), false);
    second.destroy();
    client.end();
  });

  it('goes on after a handshake that failed, and counts it', async () => {
    const rejected = (): number => broker.status().events['tls.client_rejected'] ?? 0;
    const before = rejected();
    const client = await RawClient.connect(modern);
    client.send(connectPacket(4));
    await client.rest();
    await waitFor(() => rejected() > before);
    (await handshakeAt(modern)).destroy();
  });
});

describe('A listener that requires a certificate', () => {
  it('knows the bearer of a good one', async () => {
    assert.match(await answerTo(5, identities.get('good')), /^20..0000/);
    assert.equal(await answerTo(4, identities.get('good')), '20020000');
  });

  for (const over of [0, 1]) {
    it(`${over === 0 ? 'takes one as large as it may be' : 'refuses one that is a byte larger'}`, async (t) => {
      const limits = { max_certificate_size: 0 };
      let identity: ClientIdentity | undefined;
      const { port, stop } = await startBroker(
        { listeners: [{ protocol: 'mqtts', bind: '127.0.0.1', port: 0, require_certificate: true }], limits },
        {
          prepare: async (directory) => {
            identity = await (await TestAuthority.create(directory)).device('d'.repeat(60));
            limits.max_certificate_size = new X509Certificate(identity.cert).raw.length - over;
          },
        },
      );
      t.after(stop);
      const client = RawClient.over(await handshakeAt(port, { ...identity, rejectUnauthorized: false }));
      client.send(connectPacket(4));
      assert.equal(await readPacket(client), over === 0 ? '20020000' : '20020005');
      client.end();
    });
  }

  for (const bearer of ['nobody', 'revoked', 'stranger']) {
    it(`refuses ${bearer} with a CONNACK that says so [MQTT-3.1.4-2]`, async () => {
      assert.equal(await answerTo(5, identities.get(bearer)), '2003008700');
      assert.equal(await answerTo(4, identities.get(bearer)), '20020005');
    });
  }

  it('is the same over WebSocket', async () => {
    const port = portOf(broker, 'wss');
    for (const bearer of ['nobody', 'revoked', 'stranger', 'good']) {
      const client = await RawWebSocket.connect(port, { secure: true, ca, ...identities.get(bearer) });
      client.send(connectPacket(4));
      assert.equal(await client.read(4), bearer === 'good' ? '20020000' : '20020005', bearer);
      client.end();
    }
  });

  it('refuses a bearer whose certificate is another’s, at the handshake', async () => {
    const [good, stranger] = [identities.get('good'), identities.get('stranger')];
    assert.ok(good && stranger);
    await assert.rejects(
      handshakeAt(strict, { cert: good.cert, key: stranger.key }, '127.0.0.2'),
      /key values mismatch/,
    );
  });
});

describe('A connection whose encryption fails', () => {
  // A record of application data that was never encrypted with the keys of this connection.
  const forged = Buffer.concat([Buffer.from('1703030020', 'hex'), Buffer.alloc(32, 0x5a)]);

  for (const protocol of ['mqtts', 'wss'] as const) {
    it(`is closed at once over ${protocol}, and not when its client has been silent for too long`, async () => {
      const {
        broker: own,
        port,
        stop: stopOwn,
      } = await startBroker(
        { listeners: [{ protocol, bind: '127.0.0.1', port: 0 }] },
        { prepare: (directory) => TestAuthority.create(directory) },
      );
      after(stopOwn);
      const meddler = createServer((client) => {
        const toBroker = connectTcp({ host: '127.0.0.1', port });
        client.pipe(toBroker).on('error', () => {});
        toBroker.on('data', (bytes) => client.write(bytes));
        meddler.once('forge', () => toBroker.write(forged));
      }).listen(0, '127.0.0.1');
      after(() => meddler.close());
      await once(meddler, 'listening');
      const way = (meddler.address() as AddressInfo).port;
      const client =
        protocol === 'mqtts'
          ? await RawClient.connect(way, { tls: { rejectUnauthorized: false } })
          : await RawWebSocket.connect(way, { secure: true, rejectUnauthorized: false });
      client.send(connectPacket(5, { keepAlive: 0 }));
      await client.read(4);
      meddler.emit('forge');
      await waitFor(() => own.status().connections === 0);
      client.end();
    });
  }
});
