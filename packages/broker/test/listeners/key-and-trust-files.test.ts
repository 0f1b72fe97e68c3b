import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { portOf, startBroker, type TestBroker } from '../support/broker.js';
import { returnCodeFor } from '../support/certificate-listener.js';
import { type ClientIdentity, strangerNamed, TestAuthority } from '../support/certificates.js';

async function start(
  t: TestContext,
  listener: object,
  prepare: (authority: TestAuthority, directory: string) => Promise<void>,
): Promise<TestBroker> {
  const listeners = [{ protocol: 'mqtts' as const, bind: '127.0.0.1', port: 0, ...listener }];
  const running = await startBroker(
    { listeners },
    { prepare: async (directory) => prepare(await TestAuthority.create(directory), directory) },
  );
  t.after(running.stop);
  return running;
}

const passphrase = 'open sesame';

/** Leaves nothing of a server's key but its encrypted form. */
async function encryptKey(directory: string): Promise<void> {
  const file = join(directory, 'pki/server.key');
  const key = createPrivateKey(await readFile(file));
  await writeFile(file, key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }));
}

describe('A server key that is encrypted', () => {
  it('serves with its passphrase', async (t) => {
    const { broker } = await start(t, { keyfile_passphrase: passphrase }, (_, directory) => encryptKey(directory));
    assert.equal(await returnCodeFor('mqtts', portOf(broker), undefined), 0);
  });

  for (const [what, given] of [
    ['another passphrase', { keyfile_passphrase: 'open barley' }],
    ['none', {}],
  ] as const)
    it(`is an error that names the file with ${what}`, async (t) => {
      await assert.rejects(
        start(t, given, (_, directory) => encryptKey(directory)),
        /pki\/server\.key:1:1: .*keyfile_passphrase/,
      );
    });
});

describe('Authorities in a directory', () => {
  it('are trusted, each of them, and a draft that is hidden is none', async (t) => {
    const devices = new Map<string, ClientIdentity>();
    const { broker } = await start(
      t,
      { cafile: 'one.crt', capath: 'more', require_certificate: true },
      async (_, directory) => {
        await mkdir(join(directory, 'more'));
        await writeFile(join(directory, 'more/.third.crt.part'), '-----BEGIN CERTIFICATE-----\n');
        for (const [name, file] of [
          ['first', 'one.crt'],
          ['second', 'more/second.pem'],
          ['third', 'more/third.crt'],
        ] as const) {
          const authority = await TestAuthority.create(join(directory, name));
          await rename(join(directory, name, 'pki/ca.crt'), join(directory, file));
          devices.set(name, await authority.device(name));
          await rm(join(directory, name), { recursive: true });
        }
      },
    );
    for (const [name, identity] of devices)
      assert.equal(await returnCodeFor('mqtts', portOf(broker), identity), 0, name);
    assert.equal(await returnCodeFor('mqtts', portOf(broker), await strangerNamed('first')), 5);
  });

  it('are nothing else: what is no certificate is an error that names it', async (t) => {
    const refused = start(t, { capath: 'more' }, async (_, directory) => {
      await mkdir(join(directory, 'more'));
      await writeFile(join(directory, 'more/README'), 'Put authorities here.\n');
    });
    await assert.rejects(refused, /more\/README.*holds nothing that is a certificate/);
  });
});
