import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { needs } from '@moat/testkit';
import type { Log } from '../../dist/index.js';
import { portOf, silent, startBroker } from '../support/broker.js';
import { returnCodeFor, secureProtocols } from '../support/certificate-listener.js';
import { type ClientIdentity, TestAuthority } from '../support/certificates.js';
import { OpensslAuthority, selfSigned } from '../support/openssl-authority.js';

/*
 * Certificates that must not get anybody in, made by openssl, each with the reason that the log gives for it.
 * Mosquitto #1.5.4, #3042: the WebSocket listener must be as strict as the other.
 */
const bearers = new Map<string, ClientIdentity>();
const reasons: string[] = [];
const log: Log = {
  ...silent,
  info: (fields: unknown) => {
    const { event, reason } = fields as { event?: string; reason?: string };
    if (event === 'auth.failed') reasons.push(reason ?? '');
  },
};

async function prepare(directory: string): Promise<void> {
  await TestAuthority.create(directory); // the server's certificate
  const root = await OpensslAuthority.root(join(directory, 'root'), 'Root');
  const other = await OpensslAuthority.root(join(directory, 'other'), 'Root');
  const issuing = await root.intermediate('Issuing');
  const withdrawn = await root.intermediate('Withdrawn');
  const deep = await issuing.intermediate('Deep');
  const deeper = await deep.intermediate('Deeper');
  const noAuthority = await root.issue({ subject: '/CN=no authority' });

  bearers.set('good', await root.issue());
  bearers.set('good, through an intermediate authority', await issuing.issue());
  bearers.set('good, through two', await deep.issue());
  bearers.set('good, for every use', await root.issue({ extensions: [] }));
  bearers.set('expired', await root.issue({ from: -7_200, to: -3_600 }));
  bearers.set('not yet valid', await root.issue({ from: 3_600, to: 7_200 }));
  bearers.set('for a server', await root.issue({ extensions: ['extendedKeyUsage = serverAuth'] }));
  bearers.set(
    'for e-mail and code',
    await root.issue({ extensions: ['extendedKeyUsage = emailProtection, codeSigning'] }),
  );
  bearers.set('signed by itself', await selfSigned(join(directory, 'self'), '/CN=Root'));
  bearers.set('of another authority of the same name', await other.issue());
  bearers.set('without its intermediate authority', await without(issuing));
  bearers.set('through too many authorities', await deeper.issue());
  const revoked = await root.issue();
  await root.revoke(revoked);
  bearers.set('revoked', revoked);
  const revokedBelow = await issuing.issue();
  await issuing.revoke(revokedBelow);
  bearers.set('revoked by an intermediate authority', revokedBelow);
  bearers.set('of an authority that was revoked', await withdrawn.issue());
  await root.revoke({ file: join(withdrawn.directory, 'ca.crt') });
  bearers.set('signed by what is no authority', await signedBy(noAuthority, directory));
  bearers.set(
    'very large',
    await root.issue({ extensions: ['extendedKeyUsage = clientAuth', `subjectAltName = ${many(400)}`] }),
  );

  await writeFile(join(directory, 'clients.crt'), root.certificate);
  const lists = [root, issuing, withdrawn, deep].map((authority) => authority.list());
  await writeFile(join(directory, 'clients.crl'), (await Promise.all(lists)).join(''));
}

async function without(authority: OpensslAuthority): Promise<ClientIdentity> {
  const { cert, key } = await authority.issue();
  return { cert: cert.slice(0, cert.indexOf('-----END CERTIFICATE-----') + 26), key };
}

/** What the bearer of an ordinary certificate signs with it. */
async function signedBy(
  signer: ClientIdentity & { file: string; keyFile: string },
  directory: string,
): Promise<ClientIdentity> {
  const forger = await OpensslAuthority.root(join(directory, 'forger'), 'no authority');
  await writeFile(join(forger.directory, 'ca.key'), signer.key);
  await writeFile(join(forger.directory, 'ca.crt'), signer.cert);
  const { cert, key } = await forger.issue();
  return { cert: cert + signer.cert, key };
}

const many = (count: number): string =>
  Array.from({ length: count }, (_, index) => `DNS:d${index}.example.com, DNS:${'x'.repeat(40)}`).join(', ');

const files = { cafile: 'clients.crt', crlfile: 'clients.crl', require_certificate: true, verify_depth: 2 };
const { broker, stop } = await startBroker(
  { listeners: secureProtocols.map((protocol) => ({ protocol, bind: '127.0.0.1', port: 0, ...files })) },
  { prepare, log },
);
after(stop);

const refusals: Readonly<Record<string, RegExp>> = {
  expired: /CERT_HAS_EXPIRED/,
  'not yet valid': /CERT_NOT_YET_VALID/,
  'for a server': /INVALID_PURPOSE/,
  'for e-mail and code': /INVALID_PURPOSE/,
  'signed by itself': /DEPTH_ZERO_SELF_SIGNED_CERT/,
  'of another authority of the same name':
    /UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT|CERT_SIGNATURE_FAILURE/,
  'without its intermediate authority': /UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
  'through too many authorities': /CERT_CHAIN_TOO_LONG/,
  revoked: /CERT_REVOKED/,
  'revoked by an intermediate authority': /CERT_REVOKED/,
  'of an authority that was revoked': /CERT_REVOKED/,
  'signed by what is no authority': /INVALID_CA|INVALID_PURPOSE/,
  'very large': /CERT_TOO_LARGE/,
};

for (const protocol of secureProtocols) {
  describe(`A listener for ${protocol} that requires a certificate`, needs('openssl'), () => {
    const port = portOf(broker, protocol);
    for (const bearer of [...bearers.keys()].filter((name) => name.startsWith('good'))) {
      it(`lets in the bearer of one that is ${bearer}`, async () => {
        assert.equal(await returnCodeFor(protocol, port, bearers.get(bearer)), 0, reasons.at(-1));
      });
    }
    for (const [bearer, reason] of Object.entries(refusals)) {
      it(`refuses one that is ${bearer}`, async () => {
        assert.equal(await returnCodeFor(protocol, port, bearers.get(bearer)), 5);
        assert.match(reasons.at(-1) ?? '', reason);
      });
    }
    it('speaks nothing older than TLS 1.3', async () => {
      for (const maxVersion of ['TLSv1.1', 'TLSv1.2'] as const) {
        const old = { ...bearers.get('good'), minVersion: maxVersion, maxVersion, ciphers: 'DEFAULT@SECLEVEL=0' };
        await assert.rejects(returnCodeFor(protocol, port, old as ClientIdentity), /protocol version|refused/);
      }
    });
    it('refuses whoever shows none', async () => {
      assert.equal(await returnCodeFor(protocol, port, undefined), 5);
      assert.equal(reasons.at(-1), 'certificate_required');
    });
  });
}
