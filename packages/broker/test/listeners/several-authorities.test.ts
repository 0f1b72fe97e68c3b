import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { portOf, startBroker } from '../support/broker.js';
import { returnCodeFor, secureProtocols } from '../support/certificate-listener.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';

const identities = new Map<string, ClientIdentity>();
const files = { cafile: 'all.crt', crlfile: 'all.crl', require_certificate: true };
const { broker, stop } = await startBroker(
  { listeners: secureProtocols.map((protocol) => ({ protocol, bind: '127.0.0.1', port: 0, ...files })) },
  {
    prepare: async (directory) => {
      const other = join(directory, 'other');
      await mkdir(other);
      const authorities = { ours: await TestAuthority.create(directory), theirs: await TestAuthority.create(other) };
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

describe('A listener with two authorities and the revocation list of each in one file', () => {
  for (const protocol of secureProtocols)
    for (const authority of ['ours', 'theirs'])
      it(`lets in a device of ${authority} over ${protocol}, and not one whose certificate was revoked`, async () => {
        const codeOf = (bearer: string) =>
          returnCodeFor(protocol, portOf(broker, protocol), identities.get(`${bearer} of ${authority}`));
        assert.deepEqual([await codeOf('good'), await codeOf('revoked')], [0, 5]);
      });
});
