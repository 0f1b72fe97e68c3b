import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { needs, run } from '@moat/testkit';
import { portOf, startBroker, testConfiguration } from '../support/broker.js';
import { returnCodeFor, type SecureProtocol, secureProtocols } from '../support/certificate-listener.js';
import { strangerNamed, TestAuthority } from '../support/certificates.js';

const stranger = await strangerNamed('stranger');
const listening = (request_certificate: boolean): { listeners: [] } => ({
  listeners: secureProtocols.map((protocol) => ({ protocol, bind: '127.0.0.1', port: 0, request_certificate })) as [],
});
const { broker, directory, stop } = await startBroker(listening(false), {
  prepare: (path) => TestAuthority.create(path),
});
after(stop);

/** What a client is told that would show a certificate of another authority, if it were asked for one. */
const answerToStranger = (protocol: SecureProtocol): Promise<number> =>
  returnCodeFor(protocol, portOf(broker, protocol), stranger);

async function isAsked(protocol: SecureProtocol): Promise<boolean> {
  const to = `127.0.0.1:${portOf(broker, protocol)}`;
  const { stdout } = await run('openssl', ['s_client', '-connect', to, '-msg'], { input: '' });
  assert.match(stdout, /, Finished/);
  return stdout.includes(', CertificateRequest');
}

describe('A listener with request_certificate: false', needs('openssl'), () => {
  it('asks for no certificate, until it is reloaded without', async () => {
    for (const protocol of secureProtocols) {
      assert.equal(await isAsked(protocol), false);
      assert.equal(await answerToStranger(protocol), 0);
    }
    await broker.reload(testConfiguration(directory, listening(true)));
    for (const protocol of secureProtocols) {
      assert.equal(await isAsked(protocol), true);
      assert.equal(await answerToStranger(protocol), 5);
    }
  });
});

describe('request_certificate: false', () => {
  const check = (more: object): void => {
    testConfiguration('/tmp', {
      listeners: [{ protocol: 'mqtts', bind: '127.0.0.1', request_certificate: false, ...more }],
    });
  };

  it('is refused where a certificate is needed', () => {
    for (const needed of [
      { require_certificate: true },
      { use_identity_as_username: 'cn' },
      { use_identity_as_clientid: 'san_dns' },
      { require_certificate: true, use_identity_as_username: 'cn', psk_file: 'keys' },
    ])
      assert.throws(() => check(needed), /without request_certificate no client shows the certificate/);
  });

  it('is taken where none is, or where a pre-shared key says as much', () => {
    check({});
    check({ use_identity_as_username: true, psk_file: 'keys' });
  });
});
