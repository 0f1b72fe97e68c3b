import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, loadConnection } from '@moat/client';
import { needs, run } from '@moat/testkit';
import { RunningBroker } from '../helpers/broker.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { moat } from '../helpers/moat.js';

const root = await temporaryDirectory();
const listeners = `listeners:
  - { protocol: mqtts, bind: 127.0.0.1, port: 0, use_identity_as_username: cn, crlfile: pki/ca.crl }
`;

async function initialised(name: string, ...args: string[]): Promise<string> {
  const cwd = join(root, name);
  await mkdir(cwd, { recursive: true });
  const { code, stderr } = await moat(['init', '--host', 'localhost', ...args], { cwd });
  assert.equal(code, 0, stderr);
  return cwd;
}

/** A device that is added is let in, and verified by openssl with all lists; one that is revoked is neither. */
async function assertServes(cwd: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
  const broker = await RunningBroker.start(cwd, listeners, { env });
  try {
    const port = await broker.port('mqtts');
    const added = await moat(['device', 'add', 'pump', '--port', String(port)], { cwd, env });
    assert.equal(added.code, 0, added.stderr);
    const options = { ...(await loadConnection(join(cwd, 'pump', 'connection.json'))), reconnect: false as const };
    const client = await connect(options);
    await client.publish('devices/pump/x', 'hello', { qos: 1 });
    await client.close();
    assert.ok(await verified(cwd));
    assert.equal((await moat(['device', 'revoke', 'pump'], { cwd, env })).code, 0);
    await assert.rejects(connect(options));
    assert.ok(!(await verified(cwd)));
  } finally {
    await broker.stop();
  }
}

async function verified(cwd: string): Promise<boolean> {
  const pki = (name: string) => join(cwd, 'moat-data', 'pki', name);
  const device = (name: string) => join(cwd, 'pump', name);
  const chain = ['-CAfile', device('ca.crt'), '-CRLfile', pki('ca.crl'), '-untrusted', device('client.crt')];
  return (await run('openssl', ['verify', '-crl_check_all', ...chain, device('client.crt')])).code === 0;
}

test('a root whose key is kept elsewhere, and an issuing authority', needs('openssl'), async () => {
  const cwd = await initialised('issuing', '--issuing');
  await rm(join(cwd, 'moat-data/pki/ca.key'));
  await assertServes(cwd);
});

test('an authority with an Ed25519 key', needs('openssl'), async () => {
  await assertServes(await initialised('ed25519', '--key-algorithm', 'ed25519'));
});

test('an encrypted key is opened by its passphrase alone', needs('openssl'), async () => {
  await writeFile(join(root, 'passphrase'), 'correct horse\n');
  const cwd = await initialised('encrypted', '--ca-passphrase', `file:${join(root, 'passphrase')}`);
  const key = join(cwd, 'moat-data/pki/ca.key');
  assert.match(await readFile(key, 'utf8'), /^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
  const opened = await run('openssl', ['pkey', '-in', key, '-passin', 'pass:correct horse', '-noout']);
  assert.equal(opened.code, 0, opened.stderr);
  const without = await moat(['device', 'add', 'pump'], { cwd });
  assert.equal(without.code, 2);
  assert.match(without.stderr, /encrypted \(set MOAT_CA_PASSPHRASE/);
  assert.equal((await moat(['device', 'add', 'pump'], { cwd, env: { MOAT_CA_PASSPHRASE: 'wrong' } })).code, 2);
  await rm(join(cwd, 'pump'), { recursive: true, force: true });
  await assertServes(cwd, { MOAT_CA_PASSPHRASE: 'correct horse' });
});

test('an authority that openssl made is taken over, of RSA too', needs('openssl'), async () => {
  const [certificate, key] = [join(root, 'company.crt'), join(root, 'company.key')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=Company/O=Example'];
  const made = await run('openssl', [...request, '-keyout', key, '-out', certificate]);
  assert.equal(made.code, 0, made.stderr);
  const cwd = await initialised('taken-over', '--ca-cert', certificate, '--ca-key', key);
  await assertServes(cwd);
});

test('an issuing authority below a company root is imported with its encrypted key', needs('openssl'), async () => {
  const cwd = join(root, 'imported');
  await mkdir(cwd);
  await run('sh', ['-ec', makeCompany], { cwd });
  const company = ['--chain', 'chain.pem', '--key', 'plant.key', '--host', 'localhost'];
  const imported = (...args: string[]) => moat(['pki', 'import', ...company, ...args], { cwd, env: { PASS: 'plant' } });
  const secret = ['--key-passphrase', 'env:PASS'];
  assert.match((await imported('--crl', 'root.crl')).stderr, /the key is encrypted \(give --key-passphrase/);
  const without = await imported(...secret);
  assert.deepEqual([without.code, /no revocation list of CN=Company/.test(without.stderr)], [2, true], without.stderr);
  const done = await imported(...secret, '--crl', 'root.crl');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /^CN=Plant, until .* Devices trust CN=Company\.\n$/);
  assert.equal((await imported(...secret, '--crl', 'root.crl')).code, 1);
  assert.match(await readFile(join(cwd, 'moat-data/pki/issuing.key'), 'utf8'), /ENCRYPTED/);
  await assertServes(cwd, { MOAT_CA_PASSPHRASE: 'plant' });
});

/** A root, an issuing authority below it whose key is encrypted, and the root's list. */
const makeCompany = `
  printf 'basicConstraints=critical,CA:TRUE\\nkeyUsage=critical,keyCertSign,cRLSign\\n' > ca.ext
  printf '[ca]\\ndefault_ca=d\\n[d]\\ndatabase=index\\ndefault_md=sha256\\ndefault_crl_days=9\\n' > ca.cnf
  touch index
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root.key -subj /CN=Company -out root.csr
  openssl x509 -req -in root.csr -signkey root.key -days 9 -extfile ca.ext -out root.crt
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout pass:plant -keyout plant.key -subj /CN=Plant -out plant.csr
  openssl x509 -req -in plant.csr -CA root.crt -CAkey root.key -days 9 -extfile ca.ext -out plant.crt
  openssl ca -config ca.cnf -gencrl -keyfile root.key -cert root.crt -out root.crl
  cat root.crt plant.crt > chain.pem`;

test('what does not fit together is refused before anything is made', needs('openssl'), async () => {
  const cwd = await initialised('whole');
  const pki = join(cwd, 'moat-data/pki');
  const elsewhere = join(root, 'refused');
  await mkdir(elsewhere);
  const refused = async (...args: string[]) => (await moat(['init', ...args], { cwd: elsewhere })).stderr;
  const ca = join(pki, 'ca.crt');
  assert.match(await refused('--ca-cert', ca), /belong together/);
  assert.match(await refused('--ca-cert', ca, '--ca-key', join(pki, 'server.key')), /does not belong/);
  const server = ['--ca-cert', join(pki, 'server.crt'), '--ca-key', join(pki, 'server.key')];
  assert.match(await refused(...server), /not that of an authority/);
  assert.match(await refused('--ca-passphrase', 'plain'), /must not stand on the command line/);
  assert.equal((await run('ls', [elsewhere])).stdout, '');
});
