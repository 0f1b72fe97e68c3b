import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { readPacket, startBroker } from '../support/broker.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';
import { connectPacket } from '../support/packets.js';
import { RawClient } from '../support/raw-client.js';

const identities = new Map<string, ClientIdentity>();
let ca = '';
const { port, stop } = await startBroker(
  {
    listeners: [
      {
        protocol: 'mqtts',
        bind: '127.0.0.1',
        port: 0,
        cafile: 'all.crt',
        crlfile: 'all.crl',
        require_certificate: true,
      },
    ],
  },
  {
    prepare: async (directory) => {
      const other = join(directory, 'other');
      await mkdir(other);
      const authorities = { ours: await TestAuthority.create(directory), theirs: await TestAuthority.create(other) };
      ca = authorities.ours.ca;
      for (const [name, authority] of Object.entries(authorities)) {
        identities.set(`good of ${name}`, await authority.device('good'));
        identities.set(`revoked of ${name}`, await authority.device('revoked'));
        await authority.revoke('revoked');
      }
      for (const kind of ['crt', 'crl']) {
        const parts = [directory, other].map((each) => readFile(join(each, `pki/ca.${kind}`), 'utf8'));
        await writeFile(join(directory, `all.${kind}`), (await Promise.all(parts)).join(''));
      }
    },
  },
);
after(stop);

async function answerTo(bearer: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca, ...identities.get(bearer) });
  await once(socket, 'secureConnect');
  const client = RawClient.over(socket);
  client.send(connectPacket(4));
  const connack = await readPacket(client);
  client.end();
  return connack;
}

describe('A listener with two authorities and the revocation list of each in one file', () => {
  for (const authority of ['ours', 'theirs']) {
    it(`lets in a device of ${authority}, and not one whose certificate was revoked`, async () => {
      assert.equal(await answerTo(`good of ${authority}`), '20020000');
      assert.equal(await answerTo(`revoked of ${authority}`), '20020005');
    });
  }
});
