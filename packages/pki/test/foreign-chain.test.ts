import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type ForeignAuthority, foreignAuthority, initAuthority, pemBlocks } from '@moat/pki';
import { needs, temporaryDirectory } from '@moat/testkit';
import { pkiError } from './helpers/codes.js';
import { openssl } from './helpers/openssl.js';

/** Later than anything that is made here. */
const now = new Date(Date.now() + 300_000);

interface Made {
  readonly certificate: string;
  readonly key: string;
}

const authority = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
];

/** Certificates that openssl makes in a directory, each under the one before it. */
class Workshop {
  constructor(private readonly directory: string) {}

  path(name: string): string {
    return join(this.directory, name);
  }

  /** @param issuer undefined: it signs itself */
  async make(name: string, issuer?: string, extensions: readonly string[] = authority, curve = 'P-256'): Promise<Made> {
    const file = (suffix: string) => this.path(`${name}.${suffix}`);
    await writeFile(file('ext'), extensions.join('\n'));
    const key = ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${curve}`, '-nodes', '-keyout', file('key')];
    this.run('req', '-new', ...key, '-subj', `/O=Company/CN=${name}`, '-out', file('csr'));
    return this.certify(name, issuer);
  }

  /** Another certificate of what was made. */
  async certify(name: string, issuer?: string): Promise<Made> {
    const file = (suffix: string) => this.path(`${name}.${suffix}`);
    const signer =
      issuer === undefined
        ? ['-signkey', file('key')]
        : ['-CA', this.path(`${issuer}.crt`), '-CAkey', this.path(`${issuer}.key`)];
    this.run('x509', '-req', '-in', file('csr'), ...signer, '-days', '9', '-extfile', file('ext'), '-out', file('crt'));
    return { certificate: await readFile(file('crt'), 'utf8'), key: await readFile(file('key'), 'utf8') };
  }

  async list(name: string): Promise<Buffer> {
    const config = '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=5\n';
    await writeFile(this.path('ca.cnf'), config.replace('index', this.path('index')));
    await writeFile(this.path('index'), '');
    const files = [
      '-keyfile',
      this.path(`${name}.key`),
      '-cert',
      this.path(`${name}.crt`),
      '-out',
      this.path(`${name}.crl`),
    ];
    this.run('ca', '-config', this.path('ca.cnf'), '-gencrl', ...files);
    return pemBlocks(await readFile(this.path(`${name}.crl`), 'utf8'), 'X509 CRL')[0] ?? Buffer.alloc(0);
  }

  private run(...args: readonly string[]): void {
    const { ok, text } = openssl(args);
    assert.ok(ok, text);
  }
}

function take({ key }: Made, chain: readonly Made[], lists?: readonly Buffer[], at = now): ForeignAuthority {
  return foreignAuthority(chain.map(({ certificate }) => certificate).join(''), createPrivateKey(key), lists, at);
}

describe('an issuing authority that openssl made', needs('openssl'), async () => {
  const cleanups: (() => unknown)[] = [];
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  const workshop = new Workshop(
    await temporaryDirectory({ after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as never),
  );
  const root = await workshop.make('Root');
  /** One right below the root, with these extensions. */
  const takeMade = async (name: string, extensions: readonly string[]): Promise<ForeignAuthority> => {
    const made = await workshop.make(name, 'Root', [...extensions]);
    return take(made, [made, root]);
  };
  const middle = await workshop.make('Middle', 'Root');
  const issuing = await workshop.make('Plant', 'Middle');
  const lists = [await workshop.list('Root'), await workshop.list('Middle')];

  test('is taken over with its chain, in any order, and openssl verifies what it issues with all lists', async (t) => {
    const directory = join(await temporaryDirectory(t), 'pki');
    const foreign = take(issuing, [root, issuing, middle], lists);
    const store = await initAuthority(directory, { foreign, hosts: ['localhost'], days: 5, now });
    const { certificate } = await store.issueDevice({ name: 'pump-7', days: 5, now });
    assert.equal(pemBlocks(certificate, 'CERTIFICATE').length, 3);
    assert.equal(store.trusted, root.certificate);
    const file = (name: string) => join(directory, name);
    await writeFile(file('device.crt'), certificate);
    const verify = (name: string, purpose: string) =>
      openssl([
        ...['verify', '-x509_strict', '-purpose', purpose, '-crl_check_all', '-CAfile', file('ca.crt')],
        ...['-attime', `${Math.ceil(now.getTime() / 1000) + 1}`],
        ...['-CRLfile', file('ca.crl'), '-untrusted', file(name), file(name)],
      ]);
    for (const [name, purpose] of [
      ['device.crt', 'sslclient'],
      ['server.crt', 'sslserver'],
    ] as const) {
      const { ok, text } = verify(name, purpose);
      assert.ok(ok, text);
    }
    await store.revoke({ name: 'pump-7' }, { now });
    assert.match(verify('device.crt', 'sslclient').text, /certificate revoked/);
    // No key but the issuing one is there.
    await assert.rejects(readFile(file('ca.key')), { code: 'ENOENT' });
  });

  const refused: readonly (readonly [title: string, make: () => Promise<unknown>, message: RegExp])[] = [
    [
      'whose key is another',
      async () => take({ ...issuing, key: (await workshop.make('X')).key }, [issuing]),
      /belongs to none/,
    ],
    [
      'without its root',
      async () => take(issuing, [issuing, middle]),
      /issuer of CN=Middle,O=Company is missing: CN=Root/,
    ],
    [
      'without an authority in between',
      async () => take(issuing, [issuing, root]),
      /issuer of CN=Plant,O=Company is missing/,
    ],
    [
      'that is none',
      async () => {
        const device = await workshop.make('Device', 'Root', ['basicConstraints=critical,CA:FALSE']);
        return take(device, [device, root]);
      },
      /no authority: its basic constraints/,
    ],
    [
      'below one that allows none',
      async () => {
        await workshop.make('Short', 'Root', ['basicConstraints=critical,CA:TRUE,pathlen:0', ...authority.slice(1)]);
        const low = await workshop.make('Low', 'Short');
        return take(low, [low, { ...root, certificate: await readFile(workshop.path('Short.crt'), 'utf8') }, root]);
      },
      /CN=Short,O=Company allows 0 authorities below it, and there are 1/,
    ],
    [
      'of two that have issued each other',
      async () => {
        const first = await workshop.make('First');
        const second = await workshop.make('Second', 'First');
        return take(first, [await workshop.certify('First', 'Second'), second]);
      },
      /have issued each other/,
    ],
    [
      'that bears the name of its issuer, and not its key',
      async () => {
        await mkdir(workshop.path('old'));
        const old = new Workshop(workshop.path('old'));
        await old.make('Turned');
        const next = await workshop.make('Turned');
        for (const suffix of ['ext', 'csr'])
          await copyFile(workshop.path(`Turned.${suffix}`), old.path(`New.${suffix}`));
        await copyFile(workshop.path('Turned.key'), old.path('New.key'));
        return take(next, [await old.certify('New', 'Turned')]);
      },
      /issuer of CN=Turned,O=Company is missing/,
    ],
    [
      'whose key usage names nothing',
      () => takeMade('Nothing', [authority[0] ?? '', '2.5.29.15=critical,DER:030100']),
      /lacks keyCertSign/,
    ],
    [
      'that has not begun',
      async () => take(issuing, [issuing, middle, root], undefined, new Date(now.getTime() - 86_400_000)),
      /CN=Plant,O=Company begins on/,
    ],
    [
      'that may sign no certificates',
      () => takeMade('Lists', [authority[0] ?? '', 'keyUsage=cRLSign']),
      /lacks keyCertSign/,
    ],
    ['that may sign no lists', () => takeMade('Certs', [authority[0] ?? '', 'keyUsage=keyCertSign']), /lacks cRLSign/],
    ['for servers only', () => takeMade('Web', [...authority, 'extendedKeyUsage=serverAuth']), /lacks clientAuth/],
    [
      'with a list missing',
      async () => take(issuing, [issuing, middle, root], lists.slice(1)),
      /no revocation list of CN=Root/,
    ],
    [
      'with the list of another of that name',
      async () => {
        await mkdir(workshop.path('other'));
        const other = new Workshop(workshop.path('other'));
        await other.make('Root');
        return take(issuing, [issuing, middle, root], [await other.list('Root'), lists[1] ?? Buffer.alloc(0)]);
      },
      /no revocation list of CN=Root/,
    ],
    [
      'with a list that ran out',
      async () => take(issuing, [issuing, middle, root], lists, new Date(now.getTime() + 6 * 86_400_000)),
      /ran out on/,
    ],
    [
      'that is damaged',
      async () => foreignAuthority(issuing.certificate.replace('MII', 'AAA'), createPrivateKey(issuing.key), [], now),
      /cannot be read/,
    ],
  ];
  for (const [title, make, message] of refused)
    test(`${title} is refused`, async () => {
      await assert.rejects(make, pkiError('pki.invalid_file', message));
    });

  test('that has run out, or has a key of another kind, is refused', async () => {
    const late = new Date(now.getTime() + 10 * 86_400_000);
    assert.throws(
      () => take(issuing, [issuing, middle, root], undefined, late),
      pkiError('pki.authority_expired', /ended on/),
    );
    const other = await workshop.make('Large', 'Root', authority, 'P-521');
    assert.throws(() => take(other, [other, root]), pkiError('pki.unsupported_key'));
  });
});
