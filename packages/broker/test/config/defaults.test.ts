import assert from 'node:assert/strict';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { everyAddress, hostOf, isLoopback } from '../../dist/config/bind.js';
import { defaultConfiguration, withPlainListener } from '../../dist/config/defaults.js';
import { parseConfiguration } from '../../dist/config/load.js';

describe('the default configuration', () => {
  it('listens with TLS on every address, and without on this machine alone', () => {
    const listeners = defaultConfiguration('data').listeners.map(({ protocol, bind, port }) => [protocol, bind, port]);
    assert.deepEqual(listeners, [
      ['mqtts', '*', 8883],
      ['mqtt', '127.0.0.1', 1883],
      ['ws', '127.0.0.1', 8083],
    ]);
  });

  it('takes the user name from a certificate, and lets nobody in without credentials', () => {
    const { listeners, authentication } = defaultConfiguration('data');
    assert.ok(listeners[0]?.protocol === 'mqtts');
    assert.equal(listeners[0].use_identity_as_username, 'cn');
    assert.equal(listeners[0].require_certificate, false);
    assert.equal(listeners[0].tls_version, 'tlsv1.3');
    assert.equal(authentication.allow_anonymous, false);
  });

  it('keeps everything in the directory given, by absolute paths', () => {
    const { data_dir, authorization } = defaultConfiguration('data');
    assert.equal(data_dir, resolve('data'));
    assert.equal(authorization.policy_file, join(resolve('data'), 'policy.yaml'));
  });

  it('is that of an empty file', () => {
    assert.deepEqual(parseConfiguration('data_dir: data', 'moat.yaml'), defaultConfiguration('data'));
  });

  it('listens in the clear on one loopback port instead when asked to', () => {
    const configuration = defaultConfiguration('data');
    const { listeners, ...rest } = withPlainListener(configuration, 2883);
    const { listeners: replaced, ...unchanged } = configuration;
    assert.equal(replaced.length, 3);
    assert.deepEqual(rest, unchanged);
    assert.deepEqual(
      listeners.map(({ protocol, bind, port }) => [protocol, bind, port]),
      [['mqtt', '127.0.0.1', 2883]],
    );
  });
});

describe('the address of a listener', () => {
  it('on every address is one that this machine can listen on', async () => {
    const server = createServer();
    const host = hostOf(everyAddress);
    await new Promise<void>((listening) =>
      server.listen({ port: 0, ...(host === undefined ? {} : { host }) }, listening),
    );
    const { address } = server.address() as AddressInfo;
    assert.ok(address === '::' || address === '0.0.0.0');
    await new Promise((closed) => server.close(closed));
  });

  it('is loopback or not', () => {
    for (const bind of ['127.0.0.1', '127.255.0.1', '::1', 'localhost']) assert.equal(isLoopback(bind), true, bind);
    for (const bind of ['*', '0.0.0.0', '::', '128.0.0.1', '127.example', '1.127.0.0'])
      assert.equal(isLoopback(bind), false, bind);
    assert.equal(hostOf('::1'), '::1');
  });
});
