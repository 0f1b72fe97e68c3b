import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.js';

/** What `tls.connect` takes of a certificate. */
export interface ClientIdentity {
  readonly cert: string;
  readonly key: string;
}

/** What a certificate is to say. */
export interface Request {
  /** As openssl's `-subj`. */
  readonly subject?: string;
  /** Lines of an extension section of openssl. */
  readonly extensions?: readonly string[];
  /** Seconds from now, for the beginning and the end. */
  readonly from?: number;
  readonly to?: number;
}

const clientAuth = 'extendedKeyUsage = clientAuth';
const hour = 3_600;
const authorityExtensions = [
  'basicConstraints = critical, CA:true',
  'keyUsage = critical, keyCertSign, cRLSign',
  'subjectKeyIdentifier = hash',
];

/** An authority that is run by the real openssl, with its database, so that ours and its view of X.509 must agree. */
export class OpensslAuthority {
  private count = 0;

  private constructor(
    readonly directory: string,
    /** PEM of its certificate. */
    readonly certificate: string,
    /** PEM of it and of every authority above it but the root: what a client sends along. */
    readonly chain: string,
  ) {}

  /** One that signs itself. */
  static async root(
    directory: string,
    name: string,
    extensions: readonly string[] = authorityExtensions,
  ): Promise<OpensslAuthority> {
    const { csr } = await prepare(directory, `/CN=${name}`);
    await openssl(
      'ca',
      directory,
      '-selfsign',
      '-keyfile',
      join(directory, 'ca.key'),
      ...(await outcome(directory, { extensions }, csr)),
    );
    return OpensslAuthority.open(directory, '');
  }

  /** One that this one vouches for, in a directory beside it. */
  async intermediate(name: string, extensions: readonly string[] = authorityExtensions): Promise<OpensslAuthority> {
    const directory = `${this.directory}-${name.replace(/\W/g, '')}`;
    const { csr } = await prepare(directory, `/CN=${name}`);
    await this.sign(await outcome(directory, { extensions }, csr));
    return OpensslAuthority.open(directory, this.chain);
  }

  private static async open(directory: string, above: string): Promise<OpensslAuthority> {
    const certificate = await readFile(join(directory, 'out.crt'), 'utf8');
    await writeFile(join(directory, 'ca.crt'), certificate);
    const { issuer, subject } = new (await import('node:crypto')).X509Certificate(certificate);
    return new OpensslAuthority(directory, certificate, issuer === subject ? '' : certificate + above);
  }

  /** A client's certificate with its key and all that a verifier needs but the root. */
  async issue(request: Request = {}): Promise<ClientIdentity & { readonly file: string; readonly keyFile: string }> {
    const directory = join(this.directory, `client${++this.count}`);
    const { csr, key } = await prepare(directory, request.subject ?? `/CN=client${this.count}`);
    await this.sign(await outcome(directory, { extensions: [clientAuth], ...request }, csr));
    const cert = await readFile(join(directory, 'out.crt'), 'utf8');
    return { cert: cert + this.chain, key, file: join(directory, 'out.crt'), keyFile: join(directory, 'ca.key') };
  }

  async revoke({ file }: { readonly file: string }): Promise<void> {
    await openssl('ca', this.directory, '-revoke', file, ...this.signer);
  }

  /** The list of what was revoked, in PEM. */
  async list({
    from = -60,
    to = hour,
    extensions = '',
  }: {
    from?: number;
    to?: number;
    extensions?: string;
  } = {}): Promise<string> {
    const file = join(this.directory, 'list.crl');
    const crlExtensions = extensions === '' ? [] : ['-crlexts', 'crl'];
    await configure(this.directory, extensions);
    const dates = ['-crl_lastupdate', stamp(from), '-crl_nextupdate', stamp(to)];
    await openssl('ca', this.directory, '-gencrl', ...dates, ...crlExtensions, '-out', file, ...this.signer);
    return readFile(file, 'utf8');
  }

  private get signer(): string[] {
    return ['-cert', join(this.directory, 'ca.crt'), '-keyfile', join(this.directory, 'ca.key')];
  }

  private async sign(args: readonly string[]): Promise<void> {
    await openssl('ca', this.directory, ...this.signer, ...args);
  }
}

/** A certificate that vouches for itself, and its key. */
export async function selfSigned(directory: string, subject: string): Promise<ClientIdentity> {
  const { key } = await prepare(directory, subject);
  const args = ['req', '-x509', '-new', '-key', join(directory, 'ca.key'), '-subj', subject, '-addext', clientAuth];
  const { stdout } = await run('openssl', args);
  return { cert: stdout, key };
}

/** Makes a directory with a key, a request for a certificate, and the database of an authority. */
async function prepare(directory: string, subject: string): Promise<{ csr: string; key: string }> {
  await mkdir(directory, { recursive: true });
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  const [keyFile, csr] = [join(directory, 'ca.key'), join(directory, 'request.csr')];
  await Promise.all([
    writeFile(keyFile, key),
    writeFile(join(directory, 'index.txt'), ''),
    writeFile(join(directory, 'crlnumber'), '01\n'),
    configure(directory, ''),
  ]);
  const finished = await run('openssl', ['req', '-new', '-utf8', '-key', keyFile, '-subj', subject, '-out', csr]);
  if (finished.code !== 0) throw new Error(finished.stderr);
  return { csr, key: String(key) };
}

async function configure(directory: string, crlExtensions: string): Promise<void> {
  const lines = [
    '[ca]',
    'default_ca = authority',
    '[authority]',
    `database = ${directory}/index.txt`,
    `new_certs_dir = ${directory}`,
    `crlnumber = ${directory}/crlnumber`,
    'rand_serial = yes',
    'unique_subject = no',
    'default_md = sha256',
    'default_days = 1',
    'policy = anything',
    'preserve = yes',
    '[anything]',
    'commonName = optional',
    '[crl]',
    crlExtensions,
  ];
  await writeFile(join(directory, 'openssl.cnf'), `${lines.join('\n')}\n`);
}

/** What to sign, and where to. */
async function outcome(
  directory: string,
  { extensions = [], from = -hour, to = hour }: Request,
  csr: string,
): Promise<string[]> {
  const file = join(directory, 'extensions');
  await writeFile(file, `${extensions.join('\n')}\n`);
  const dates = ['-startdate', stamp(from), '-enddate', stamp(to)];
  return ['-in', csr, '-extfile', file, ...dates, '-notext', '-out', join(directory, 'out.crt')];
}

async function openssl(command: string, directory: string, ...args: readonly string[]): Promise<void> {
  const finished = await run('openssl', [command, '-batch', '-config', join(directory, 'openssl.cnf'), ...args]);
  if (finished.code !== 0) throw new Error(`openssl ${command}: ${finished.stderr}`);
}

/** So many seconds from now, as openssl wants it. */
function stamp(seconds: number): string {
  const time = new Date(Date.now() + seconds * 1_000).toISOString();
  return `${time.slice(0, 19).replace(/[-:T]/g, '')}Z`;
}
