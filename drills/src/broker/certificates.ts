import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClientIdentity, OpensslAuthority, selfSigned } from '@moat/testkit';

/** Somebody with a certificate that openssl has made. */
export interface Bearer {
  /** What kind of certificate: `revoked`. */
  readonly kind: string;
  readonly identity: ClientIdentity;
  /** The user name that a right broker gives it; undefined when it lets it in by no name. */
  readonly welcomeAs?: string;
}

const clientAuth = 'extendedKeyUsage = clientAuth';
const serverAuth = 'extendedKeyUsage = serverAuth';
const serverNames = 'subjectAltName = DNS:localhost, IP:127.0.0.1';
const serverRequest = { subject: '/CN=localhost', extensions: [serverAuth, serverNames] };

/** What somebody shows who is not the broker. */
export interface Impostor {
  /** Of what kind the certificate is: `for another host`. */
  readonly kind: string;
  readonly identity: ClientIdentity;
}

/** How many authorities may stand between a client and the one that is trusted. */
export const verifyDepth = 2;

/** The authority, the server's certificate and every bearer, as files of `directory`. */
export async function makeCertificates(directory: string) {
  const root = await OpensslAuthority.root(join(directory, 'root'), 'Drill');
  const other = await OpensslAuthority.root(join(directory, 'other'), 'Drill');
  const issuing = await root.intermediate('Issuing');
  const deep = await issuing.intermediate('Deep');
  const deeper = await deep.intermediate('Deeper');

  const server = await root.issue(serverRequest);
  const impostors: Impostor[] = [
    { kind: 'of another authority of the same name', identity: await other.issue(serverRequest) },
    { kind: 'signed by itself', identity: await selfSigned(join(directory, 'impostor'), '/CN=localhost') },
    {
      kind: 'for another host',
      identity: await root.issue({
        subject: '/CN=localhost',
        extensions: [serverAuth, 'subjectAltName = DNS:evil.example'],
      }),
    },
    { kind: 'that has expired', identity: await root.issue({ ...serverRequest, from: -7_200, to: -3_600 }) },
    {
      kind: 'of a device',
      identity: await root.issue({ ...serverRequest, extensions: [clientAuth, serverNames] }),
    },
  ];
  const files = {
    certfile: join(directory, 'server.crt'),
    keyfile: join(directory, 'server.key'),
    cafile: join(directory, 'clients.crt'),
    crlfile: join(directory, 'clients.crl'),
  };

  const revoked = await root.issue({ subject: '/CN=revoked' });
  await root.revoke(revoked);
  const revokedBelow = await issuing.issue({ subject: '/CN=revokedbelow' });
  await issuing.revoke(revokedBelow);
  const { cert, key } = await issuing.issue({ subject: '/CN=lost' });
  const withoutIssuer = { cert: cert.slice(0, cert.indexOf('-----END CERTIFICATE-----') + 26), key };

  const bearers: Bearer[] = [
    { kind: 'good', identity: await root.issue({ subject: '/CN=good' }), welcomeAs: 'good' },
    {
      kind: 'good, through an intermediate',
      identity: await issuing.issue({ subject: '/CN=below' }),
      welcomeAs: 'below',
    },
    { kind: 'revoked', identity: revoked },
    { kind: 'revoked by an intermediate', identity: revokedBelow },
    { kind: 'expired', identity: await root.issue({ subject: '/CN=old', from: -7_200, to: -3_600 }) },
    { kind: 'not yet valid', identity: await root.issue({ subject: '/CN=early', from: 3_600, to: 7_200 }) },
    {
      kind: 'for a server',
      identity: await root.issue({ subject: '/CN=server', extensions: [serverAuth] }),
    },
    {
      kind: 'for e-mail',
      identity: await root.issue({ subject: '/CN=mail', extensions: ['extendedKeyUsage = emailProtection'] }),
    },
    { kind: 'signed by itself', identity: await selfSigned(join(directory, 'self'), '/CN=Drill') },
    { kind: 'of another authority of the same name', identity: await other.issue({ subject: '/CN=other' }) },
    { kind: 'without its intermediate', identity: withoutIssuer },
    { kind: 'through too many authorities', identity: await deeper.issue({ subject: '/CN=deep' }) },
  ];
  // One after the other: they share the database of openssl.
  for (const trick of nameTricks) bearers.push(await tricky(root, trick));

  await writeFile(files.certfile, server.cert);
  await writeFile(files.keyfile, server.key);
  await writeFile(files.cafile, root.certificate);
  const lists = await Promise.all([root, issuing, deep, deeper].map((authority) => authority.list()));
  await writeFile(files.crlfile, lists.join(''));
  return {
    ...files,
    authority: await readFile(files.cafile, 'utf8'),
    server: { cert: server.cert, key: server.key },
    bearers,
    impostors,
  };
}

interface NameTrick {
  readonly kind: string;
  readonly subject: string;
  readonly extension?: string;
  readonly welcomeAs?: string;
}

/** A DNS name in an extension, by its bytes, so that openssl does not judge it. */
function dnsName(name: string): string {
  const tagged = `82${byte(name.length)}${Buffer.from(name, 'latin1').toString('hex')}`;
  return `subjectAltName = DER:30${byte(tagged.length / 2)}${tagged}`;
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

/** Names that are not what they seem. The alternative name counts for nothing where the common name is the user's. */
const nameTricks: readonly NameTrick[] = [
  {
    kind: 'an alternative name with an embedded NUL',
    subject: '/CN=nul',
    extension: dnsName('victim\0.example'),
    welcomeAs: 'nul',
  },
  { kind: 'an alternative name that is a wildcard', subject: '/CN=wild', extension: dnsName('*'), welcomeAs: 'wild' },
  {
    kind: 'an alternative name that is the victim',
    subject: '/CN=alias',
    extension: dnsName('victim'),
    welcomeAs: 'alias',
  },
  { kind: 'only an alternative name', subject: '/O=nobody', extension: dnsName('victim') },
  { kind: 'a common name that is a wildcard', subject: '/CN=+' },
  { kind: 'a common name that is every level', subject: '/CN=#' },
  { kind: 'a common name with a level in it', subject: '/CN=victim\\/x' },
  { kind: 'two common names, the last the victim', subject: '/CN=two/CN=victim' },
  { kind: 'two common names, the first the victim', subject: '/CN=victim/CN=two' },
];

async function tricky(root: OpensslAuthority, trick: NameTrick): Promise<Bearer> {
  const { kind, subject, extension, welcomeAs } = trick;
  const extensions = extension === undefined ? [clientAuth] : [clientAuth, extension];
  return {
    kind,
    identity: await root.issue({ subject, extensions }),
    ...(welcomeAs === undefined ? {} : { welcomeAs }),
  };
}
