import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { freePort, needs, run, waitFor } from '@moat/testkit';
import { temporaryDirectory } from './helpers/directory.js';
import { moat, type Running, startMoat } from './helpers/moat.js';

const cwd = await temporaryDirectory();
const ca = join(cwd, 'moat-data/pki/ca.crt');
const certificateOf = (name: string): string => join(cwd, name, 'client.crt');

before(async () => {
  await moat(['init'], { cwd });
  for (const name of ['good', 'bad']) await moat(['device', 'add', name], { cwd });
  await moat(['device', 'revoke', 'bad', '--reason', 'keyCompromise'], { cwd });
});

test('moat pki crl signs a list that openssl accepts, with the next number', needs('openssl'), async () => {
  const numbers: number[] = [];
  for (let round = 0; round < 2; round++) {
    const { code, stdout, stderr } = await moat(['pki', 'crl', '--json'], { cwd });
    assert.equal(code, 0, stderr);
    const { file, number, nextUpdate } = JSON.parse(stdout);
    const list = await run('openssl', ['crl', '-in', file, '-CAfile', ca, '-noout', '-text', '-crlnumber']);
    assert.match(list.stderr, /verify OK/);
    assert.equal(Number(/crlNumber=(\w+)/.exec(list.stdout)?.[1]), number);
    assert.ok(Date.parse(nextUpdate) > Date.now() + 364 * 86_400_000);
    numbers.push(number);
  }
  assert.equal(numbers[1], (numbers[0] ?? 0) + 1);
});

describe('moat pki ocsp', needs('openssl'), () => {
  let responder: Running;
  let url: string;
  before(async () => {
    responder = startMoat(['pki', 'ocsp', '--bind', '127.0.0.1:0'], { cwd });
    const [line] = await once(createInterface(responder.stdout), 'line');
    url = String(line).replace('answering at ', '');
  });
  after(() => responder.kill('SIGKILL'));

  async function ask(...args: string[]): Promise<string> {
    const { stdout, stderr } = await run('openssl', ['ocsp', '-issuer', ca, '-CAfile', ca, ...args]);
    return stdout + stderr;
  }

  test('stock openssl verifies its answers: good, revoked, unknown', async () => {
    const good = await ask('-url', url, '-cert', certificateOf('good'));
    assert.match(good, /Response verify OK/);
    assert.match(good, /client\.crt: good\n/);
    assert.doesNotMatch(good, /WARNING/, 'the nonce is repeated');
    const bad = await ask('-url', url, '-cert', certificateOf('bad'));
    assert.match(bad, /Response verify OK/);
    assert.match(bad, /client\.crt: revoked\n(.*\n)*\s*Reason: keyCompromise/);
    assert.match(await ask('-url', url, '-serial', '0x1234'), /0x1234: unknown\n/);
    assert.match(await ask('-url', url, '-sha256', '-cert', certificateOf('good')), /client\.crt: good\n/);
    const both = await ask('-url', url, '-cert', certificateOf('good'), '-cert', certificateOf('bad'));
    assert.match(both, /good\n(.*\n)*.*revoked\n/);
  });

  test('a certificate of another authority is unknown here', async () => {
    const other = await temporaryDirectoryWithAuthority();
    const { stdout, stderr } = await run('openssl', [
      ...['ocsp', '-issuer', join(other, 'ca.crt'), '-cert', certificateOf('good'), '-noverify', '-url', url],
    ]);
    assert.match(stdout + stderr, /client\.crt: unknown\n/);
  });

  test('a revocation is told within seconds', async () => {
    await moat(['device', 'add', 'late'], { cwd });
    assert.match(await ask('-url', url, '-cert', certificateOf('late')), /good|unknown/);
    await moat(['device', 'revoke', 'late'], { cwd });
    await waitFor(async () =>
      /late\/client\.crt: revoked/.test(await ask('-url', url, '-cert', certificateOf('late'))),
    );
  });

  test('the same by GET, as caches want it', async () => {
    const request = join(cwd, 'request.der');
    await ask('-cert', certificateOf('bad'), '-reqout', request, '-no_nonce');
    const encoded = encodeURIComponent((await readFile(request)).toString('base64'));
    const response = await fetch(`${url}${encoded}`);
    assert.equal(response.headers.get('content-type'), 'application/ocsp-response');
    const answer = join(cwd, 'answer.der');
    await writeFile(answer, Buffer.from(await response.arrayBuffer()));
    const told = await ask('-respin', answer, '-cert', certificateOf('bad'));
    assert.match(told, /Response verify OK/);
    assert.match(told, /client\.crt: revoked/);
  });

  test('what is no request is told so, and too much is not read', async () => {
    const post = (body: Buffer) => fetch(url, { method: 'POST', body });
    const malformed = Buffer.from('30030a0101', 'hex');
    for (const body of [Buffer.alloc(0), Buffer.from('3080', 'hex'), Buffer.from('not DER')])
      assert.deepEqual(Buffer.from(await (await post(body)).arrayBuffer()), malformed);
    assert.equal((await post(Buffer.alloc(16_384))).status, 200);
    assert.equal((await post(Buffer.alloc(16_385))).status, 400);
    assert.equal((await fetch(`${url}%ZZ`)).status, 400);
    assert.equal((await fetch(url, { method: 'PUT', body: 'x' })).status, 400);
  });

  test('SIGTERM ends it', async () => {
    const exited = once(responder, 'exit');
    responder.kill('SIGTERM');
    assert.equal((await exited)[0], 0);
  });
});

test(
  'a certified responder answers without the key of the authority, and openssl follows the URL in a certificate',
  needs('openssl'),
  async () => {
    for (const options of [[], ['--issuing']]) {
      const where = join(cwd, `delegated${options.length}`);
      await mkdir(where);
      const port = await freePort();
      await writeFile(join(where, 'moat.yaml'), `pki: { ocsp_url: "http://127.0.0.1:${port}/" }\n`);
      await moat(['init', ...options], { cwd: where });
      assert.equal((await moat(['device', 'add', 'good'], { cwd: where })).code, 0);
      const certified = await moat(['pki', 'responder', '--days', '2'], { cwd: where });
      assert.equal(certified.code, 0, certified.stderr);
      const pki = (file: string) => join(where, 'moat-data/pki', file);
      const [issuer, key] = options.length === 0 ? ['ca.crt', 'ca.key'] : ['issuing.crt', 'issuing.key'];
      const text = (await run('openssl', ['x509', '-in', pki('ocsp.crt'), '-noout', '-text'])).stdout;
      assert.match(text, /OCSP Signing/);
      assert.match(text, /OCSP No Check|1\.3\.6\.1\.5\.5\.7\.48\.1\.5/);
      assert.equal((await stat(pki('ocsp.key'))).mode & 0o777, 0o600);
      const named = await run('openssl', ['x509', '-in', join(where, 'good/client.crt'), '-noout', '-ocsp_uri']);
      assert.equal(named.stdout.trim(), `http://127.0.0.1:${port}/`);
      await rename(pki(key), join(where, 'in-a-safe.key'));
      const responder = startMoat(['pki', 'ocsp', '--bind', `127.0.0.1:${port}`], { cwd: where });
      try {
        await once(createInterface(responder.stdout), 'line');
        const args = [
          'ocsp',
          '-issuer',
          pki(issuer),
          '-CAfile',
          pki('ca.crt'),
          '-cert',
          join(where, 'good/client.crt'),
        ];
        const asked = await run('openssl', [...args, '-url', named.stdout.trim()]);
        assert.match(asked.stdout + asked.stderr, /Response verify OK/);
        assert.match(asked.stdout, /client\.crt: good\n/);
        await rename(join(where, 'in-a-safe.key'), pki(key));
        await moat(['device', 'revoke', 'good'], { cwd: where });
        await waitFor(async () =>
          /client\.crt: revoked/.test((await run('openssl', [...args, '-url', named.stdout.trim()])).stdout),
        );
      } finally {
        responder.kill('SIGKILL');
      }
    }
  },
);

async function temporaryDirectoryWithAuthority(): Promise<string> {
  const directory = join(cwd, 'other');
  await moat(['init', '--data-dir', directory], { cwd });
  return join(directory, 'pki');
}
