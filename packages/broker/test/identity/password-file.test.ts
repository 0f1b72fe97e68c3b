import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OperatorError } from '../../dist/errors.js';
import { removePassword, setPassword } from '../../dist/identity/edit-passwords.js';
import { PasswordFile } from '../../dist/identity/password-file.js';
import { hashPassword, parseHash } from '../../dist/identity/password-hash.js';

let directory: string;
let path: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moat-passwords-'));
  path = join(directory, 'passwords');
});

after(() => rm(directory, { recursive: true }));

const hashAt = (memory: number, time: number): string =>
  `$argon2id$v=19$m=${memory},t=${time},p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
const key = Buffer.alloc(32).toString('base64');
const verifier = `$scram-sha-256$i=4096$${Buffer.alloc(16).toString('base64')}$${key}$${key}`;
const bytes = (text: string) => new TextEncoder().encode(text);

describe('a password hash', () => {
  it('is Argon2id with 19 MiB and two passes, and a salt of its own', async () => {
    const [one, other] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.notEqual(one, other);
    assert.equal(parseHash(one)?.cost, 'argon2id 19456 2 1');
  });

  it('is refused when it is of an unknown kind, or dear enough to stop the broker', () => {
    const salt = Buffer.alloc(16).toString('base64');
    const long = Buffer.alloc(64).toString('base64');
    const bare = (text: string) => text.replace(/=+(?=\$|$)/g, '');
    const table: [text: string, taken: boolean][] = [
      [hashAt(19_456, 2), true],
      [hashAt(262_144, 16), true],
      [hashAt(262_145, 2), false],
      [hashAt(19_456, 17), false],
      [hashAt(7, 1), false],
      [hashAt(19_456, 2).replace('argon2id', 'argon2i'), false],
      [`$7$101$${salt}$${long}`, true],
      [`$7$1000000$${salt}$${long}`, true],
      [`$7$1000001$${salt}$${long}`, false],
      [`$7$0$${salt}$${long}`, false],
      [`$7$101$${salt}$${salt}`, false],
      [`$6$${salt}$${long}`, true],
      [`$6$c2FsdA==$${long}`, false],
      [`$5$${salt}$${long}`, false],
      [bare(`$scrypt$ln=17,r=8,p=1$${salt}$${long}`), true],
      [bare(`$scrypt$ln=18,r=8,p=1$${salt}$${long}`), true],
      [bare(`$scrypt$ln=19,r=8,p=1$${salt}$${long}`), false],
      [bare(`$scrypt$ln=10,r=8,p=17$${salt}$${long}`), false],
      [bare(`$scrypt$ln=0,r=8,p=1$${salt}$${long}`), false],
      ['$constructor$a$b', false],
      ['secret', false],
      ['', false],
    ];
    for (const [text, taken] of table) assert.equal(parseHash(text) !== undefined, taken, text);
  });

  it('of scrypt is read as others have made it', async () => {
    // RFC 7914 §12: P="pleaseletmein", S="SodiumChloride", N=16384, r=8, p=1.
    const salt = Buffer.from('SodiumChloride').toString('base64').replaceAll('=', '');
    const wanted = Buffer.from(
      '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887',
      'hex',
    );
    const hash = parseHash(`$scrypt$ln=14,r=8,p=1$${salt}$${wanted.toString('base64').replaceAll('=', '')}`);
    assert.equal(await hash?.verify(bytes('pleaseletmein')), true);
    assert.equal(await hash?.verify(bytes('pleaseletmeout')), false);
  });

  it('of mosquitto_passwd is read, $7$ and $6$', async () => {
    const made = join(directory, 'mosquitto');
    execFileSync('mosquitto_passwd', ['-b', '-c', made, 'alice', 'wonderland']);
    const seven = await PasswordFile.load(made);
    assert.match(seven.credentialsOf('alice') ?? '', /^\$7\$/);
    assert.equal(await seven.verify('alice', bytes('wonderland')), true);
    assert.equal(await seven.verify('alice', bytes('Wonderland')), false);
    const old = join(directory, 'mosquitto-old');
    execFileSync('mosquitto_passwd', ['-H', 'sha512', '-b', '-c', old, 'alice', 'wonderland']);
    const six = await PasswordFile.load(old);
    assert.match(six.credentialsOf('alice') ?? '', /^\$6\$/);
    assert.equal(await six.verify('alice', bytes('wonderland')), true);
    assert.equal(await six.verify('alice', bytes('Wonderland')), false);
  });
});

describe('a password file', () => {
  it('knows its users by their passwords', async () => {
    await setPassword(path, 'alice', 'wonderland');
    await setPassword(path, 'Zoë', 'пароль');
    const file = await PasswordFile.load(path);
    assert.equal(file.size, 2);
    assert.equal(await file.verify('alice', bytes('wonderland')), true);
    assert.equal(await file.verify('Zoë', bytes('пароль')), true);
    assert.equal(await file.verify('alice', bytes('Wonderland')), false);
    assert.equal(await file.verify('alice', bytes('')), false);
    assert.equal(await file.verify('Alice', bytes('wonderland')), false);
    assert.equal(await file.verify('__proto__', bytes('')), false);
  });

  it('takes a hash made by the reference implementation', async () => {
    // printf wonderland | argon2 somesaltsomesalt -id -t 3 -m 14 -p 1 -e
    const file = PasswordFile.parse(
      `bob:$argon2id$v=19$m=16384,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$YbquCuNk85/1yFQFDx9vVm/evYQ+sF65gchZol5oQ54\n`,
      path,
    );
    assert.equal(await file.verify('bob', bytes('wonderland')), true);
    assert.equal(await file.verify('bob', bytes('Wonderland')), false);
  });

  it('takes the same work for a wrong password, whoever is asked about', async () => {
    const salt = Buffer.alloc(12).toString('base64');
    const long = Buffer.alloc(64).toString('base64');
    const users = {
      argon: hashAt(8, 1),
      dear: hashAt(16, 1),
      seven: `$7$101$${salt}$${long}`,
      six: `$6$${salt}$${long}`,
    };
    const file = PasswordFile.parse(
      Object.entries(users)
        .map(([user, hash]) => `${user}:${hash}\n`)
        .join(''),
      path,
    );
    const work = async (user: string): Promise<string[]> => {
      const done: string[] = [];
      await file.verify(user, bytes('wrong'), { worked: (cost) => done.push(cost) });
      return done.sort();
    };
    const wanted = await work('nobody');
    assert.equal(wanted.length, 4);
    for (const user of Object.keys(users)) assert.deepEqual(await work(user), wanted, user);
    assert.deepEqual(
      await (async () => {
        const done: string[] = [];
        await PasswordFile.parse('', path).verify('nobody', bytes('x'), { worked: (cost) => done.push(cost) });
        return done;
      })(),
      ['argon2id 19456 2 1'],
    );
  });

  it('may have comments, but no blank line, no line that is not understood, and no user twice', async () => {
    const hash = hashAt(19_456, 2);
    assert.equal(PasswordFile.parse(`# people\nalice:${hash}\r\n#bob:x\n`, path).size, 1);
    const table: [text: string, line: number, column: number, message: RegExp][] = [
      [`alice:${hash}\n\nbob:${hash}\n`, 2, 1, /blank line/],
      [`alice:${hash}\n\n`, 2, 1, /blank line/],
      ['\n', 1, 1, /blank line/],
      ['  ', 1, 1, /blank line/],
      [`alice:${hash}\nbob`, 2, 1, /no colon/],
      [`:${hash}`, 1, 1, /user name "" is empty/],
      [`a/b:${hash}`, 1, 1, /user name "a\/b" holds one of/],
      [`alice:${hash}\nalice:${hash}\n`, 2, 1, /alice is listed twice/],
      ['alice:secret', 1, 7, /hash of alice is not Argon2id/],
      [`alice:${hash}:x`, 1, 8 + hash.length, /no SCRAM verifier/],
      [`alice:${hash}:${verifier}:${verifier}`, 1, 8 + hash.length, /two verifiers of one mechanism/],
      [`alice:${hash}:${verifier.replace('4096', '4095')}`, 1, 8 + hash.length, /no SCRAM verifier/],
    ];
    for (const [text, line, column, message] of table) {
      assert.throws(
        () => PasswordFile.parse(text, path),
        (error: unknown) => {
          assert.ok(error instanceof OperatorError);
          assert.equal(error.code, 'passwords.invalid');
          assert.deepEqual(error.place, { file: path, line, column });
          assert.match(error.message, message);
          assert.ok(!error.message.includes('secret') && !error.message.includes(hash));
          return true;
        },
      );
    }
  });

  it('says so when it cannot be read', async () => {
    await assert.rejects(PasswordFile.load(join(directory, 'missing')), {
      name: 'OperatorError',
      code: 'config.unreadable',
    });
  });
});

describe('editing a password file', () => {
  it('keeps every other line as it is', async () => {
    const bob = `bob:${hashAt(19_456, 2)}`;
    await writeFile(path, `# people\nalice:old\n${bob}\n# alice:comment`);
    await setPassword(path, 'alice', 'new');
    const [comment, alice, ...rest] = (await readFile(path, 'utf8')).split('\n');
    assert.equal(comment, '# people');
    assert.match(alice ?? '', /^alice:\$argon2id\$/);
    assert.deepEqual(rest, [bob, '# alice:comment', '']);
    assert.equal(await removePassword(path, 'alice'), true);
    assert.equal(await readFile(path, 'utf8'), `# people\n${bob}\n# alice:comment\n`);
    assert.equal(await removePassword(path, 'ali'), false);
  });

  it('leaves a file that only its owner reads, and nothing else', async () => {
    const fresh = await mkdtemp(join(directory, 'fresh-'));
    const file = join(fresh, 'passwords');
    await setPassword(file, 'alice', 'secret');
    await chmod(file, 0o644);
    await setPassword(file, 'bob', 'secret');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(fresh), ['passwords']);
  });

  it('goes through a symbolic link to the file behind it', async () => {
    const link = join(directory, 'link');
    await writeFile(path, '');
    await symlink(path, link);
    await setPassword(link, 'alice', 'secret');
    assert.match(await readFile(path, 'utf8'), /^alice:/);
    assert.equal(execFileSync('readlink', [link], { encoding: 'utf8' }).trim(), path);
  });

  it('loses nothing of what others change at the same time, and waits for no lock that was left behind', async () => {
    const users = Array.from({ length: 12 }, (_, index) => `at-once-${index}`);
    await writeFile(`${path}.lock`, '');
    const long = Date.now() / 1_000 - 11;
    await utimes(`${path}.lock`, long, long);
    await Promise.all(users.map((user) => setPassword(path, user, 'secret', { scram: false })));
    const named = (await readFile(path, 'utf8')).split('\n').map((line) => line.split(':')[0]);
    assert.deepEqual(
      users.filter((user) => !named.includes(user)),
      [],
    );
    await Promise.all(users.map((user) => removePassword(path, user)));
    assert.ok(!(await readFile(path, 'utf8')).includes('at-once'));
    assert.ok(!(await readdir(directory)).some((name) => name.endsWith('.lock')));
  });

  it('refuses a user name that cannot be used, and an empty password', async () => {
    await assert.rejects(setPassword(path, 'a:b', 'secret'), { code: 'passwords.invalid' });
    await assert.rejects(setPassword(path, '#a', 'secret'), { code: 'passwords.invalid' });
    await assert.rejects(setPassword(path, 'alice', ''), { code: 'passwords.invalid' });
  });
});
