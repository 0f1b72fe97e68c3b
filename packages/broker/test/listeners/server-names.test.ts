import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type ConnectionOptions, connect } from 'node:tls';
import { needs, run, waitFor } from '@moat/testkit';
import { portOf, startBroker, testConfiguration } from '../support/broker.js';
import { secureProtocols } from '../support/certificate-listener.js';
import { OpensslAuthority } from '../support/openssl-authority.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';
import { recordingLog } from '../support/recording-log.js';

/*
 * One listener under several names, with certificates that openssl made: the first is for 127.0.0.1, "named" for localhost
 * and everything in the domain plant.example, "other" for another authority's name.
 */
const authorities: Record<string, OpensslAuthority> = {};
const { events, log } = recordingLog(({ event, username }) => `${event} ${username}`);

async function prepare(directory: string): Promise<void> {
  const root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
  const stranger = await OpensslAuthority.root(join(directory, 'stranger'), 'Stranger');
  Object.assign(authorities, { root, stranger });
  await certify(directory, 'first', root, 'IP:127.0.0.1,DNS:first.example');
  await certify(directory, 'named', root, 'DNS:localhost,DNS:*.plant.example');
  await certify(directory, 'other', stranger, 'DNS:other.example');
  await writeFile(join(directory, 'root.crt'), root.certificate);
  await writeFile(join(directory, 'stranger.crt'), stranger.certificate);
}

async function certify(directory: string, name: string, authority: OpensslAuthority, names: string): Promise<void> {
  const extensions = ['extendedKeyUsage = serverAuth', `subjectAltName = ${names}`];
  const { cert, key } = await authority.issue({ subject: `/CN=${name}`, extensions });
  await writeFile(join(directory, `${name}.key`), key);
  // Renamed, so that nobody reads half of it.
  await writeFile(join(directory, `${name}.new`), cert);
  await rename(join(directory, `${name}.new`), join(directory, `${name}.crt`));
}

const filesOf = (name: string): { certfile: string; keyfile: string } => ({
  certfile: `${name}.crt`,
  keyfile: `${name}.key`,
});
const configured = (...more: string[]): { listeners: [] } => ({
  listeners: secureProtocols.map((protocol) => ({
    protocol,
    bind: '127.0.0.1',
    port: 0,
    cafile: 'root.crt',
    use_identity_as_username: 'cn',
    ...filesOf('first'),
    more_certificates: more.map(filesOf),
  })) as [],
});
const { broker, directory, stop } = await startBroker(configured('named', 'other'), { prepare, log });
after(stop);

/** The CN of the certificate that a client is shown who asks for this name; undefined asks for none. */
async function shownTo(servername: string | undefined, protocol = 'mqtts', more: ConnectionOptions = {}) {
  const name = servername === undefined ? {} : { servername };
  const socket = connect({
    host: '127.0.0.1',
    port: portOf(broker, protocol),
    rejectUnauthorized: false,
    ...name,
    ...more,
  });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().subject.CN;
  } finally {
    socket.destroy();
  }
}

describe('A listener with several certificates', needs('openssl'), () => {
  it('shows the one that has the name which the client asks for, over every protocol', async () => {
    for (const protocol of secureProtocols)
      for (const [name, shown] of [
        [undefined, 'first'],
        ['first.example', 'first'],
        ['localhost', 'named'],
        ['pump.plant.example', 'named'],
        ['PUMP.Plant.Example', 'named'],
        ['other.example', 'other'],
      ] as const)
        assert.equal(await shownTo(name, protocol), shown, `${protocol} ${name}`);
  });

  it('shows the first to who asks for a name that it has not, or for no name of a host', async () => {
    for (const name of [
      'elsewhere.example',
      'plant.example',
      'a.b.plant.example',
      '*.plant.example',
      '.plant.example',
      'other.example.',
      'other.example/',
      'ö.plant.example',
      'a'.repeat(255),
      Array(4).fill('a'.repeat(63)).join('.'),
    ])
      assert.equal(await shownTo(name), 'first', name);
  });

  it('asks for client certificates, and takes them, under every name', async () => {
    for (const [servername, authority] of [
      ['first.example', 'root'],
      ['localhost', 'root'],
      ['other.example', 'stranger'],
    ] as const) {
      const { cert, key } = await (authorities['root'] as OpensslAuthority).issue({ subject: '/CN=pump-8' });
      const ca = (authorities[authority] as OpensslAuthority).certificate;
      const socket = connect({ host: '127.0.0.1', port: portOf(broker, 'mqtts'), ca, servername, cert, key });
      await once(socket, 'secureConnect');
      const client = RawClient.over(socket);
      client.send(connectPacket(4));
      await client.expect('20020000');
      client.end();
    }
    const connected = events.filter((event) => event.startsWith('client.connected'));
    assert.deepEqual(connected, Array(3).fill('client.connected pump-8'));
  });

  it('speaks no older TLS under any name', async () => {
    await assert.rejects(shownTo('other.example', 'mqtts', { maxVersion: 'TLSv1.2' }), /protocol version/);
  });

  it('shows a renewed one when its file changes', async () => {
    await certify(
      directory,
      'other',
      authorities['stranger'] as OpensslAuthority,
      'DNS:renewed.example,DNS:other.example',
    );
    await waitFor(async () => (await shownTo('renewed.example')) === 'other');
    assert.equal(await shownTo('localhost'), 'named');
  });

  it('shows what another configuration has, and keeps what it had when that cannot be read', async () => {
    const reload = (...more: string[]): Promise<void> =>
      broker.reload(testConfiguration(directory, configured(...more)));
    await reload();
    assert.equal(await shownTo('localhost'), 'first');
    await reload('named');
    assert.equal(await shownTo('localhost'), 'named');
    assert.equal(await shownTo('other.example'), 'first');
    const broken = async (name: string, cert: string, why: RegExp): Promise<void> => {
      await writeFile(join(directory, `${name}.crt`), cert);
      await writeFile(join(directory, `${name}.key`), (await (authorities['root'] as OpensslAuthority).issue()).key);
      await assert.rejects(reload('named', name), why);
    };
    await broken('cut', 'no certificate', /cut\.crt:1:1: is not a certificate in PEM form/);
    const { certificate } = authorities['stranger'] as OpensslAuthority;
    await broken('mixed', certificate, /mixed\.key:1:1: TLS files do not fit together/);
    assert.equal(await shownTo('localhost'), 'named');
    await reload('named', 'other');
  });

  it('is believed by stock clients that know the one authority or the other', needs('mosquitto_pub'), async () => {
    const publish = async (host: string, authority: string): Promise<number | null> => {
      const where = ['-h', host, '-p', `${portOf(broker, 'mqtts')}`, '--cafile', join(directory, `${authority}.crt`)];
      return (await run('mosquitto_pub', [...where, '-t', 'a', '-m', 'b'])).code;
    };
    assert.equal(await publish('localhost', 'root'), 0);
    assert.equal(await publish('127.0.0.1', 'root'), 0);
    assert.notEqual(await publish('localhost', 'stranger'), 0);
  });
});
