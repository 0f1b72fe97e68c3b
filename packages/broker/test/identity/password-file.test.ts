import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OperatorError } from '../../dist/errors.js';
import { removePassword, setPassword } from '../../dist/identity/edit-passwords.js';
import { PasswordFile } from '../../dist/identity/password-file.js';
import { costOf, dummyHash, hashPassword, standardCost } from '../../dist/identity/password-hash.js';
import { WorkGate } from '../../dist/identity/work-gate.js';

let directory: string;
let path: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moat-passwords-'));
  path = join(directory, 'passwords');
});

after(() => rm(directory, { recursive: true }));

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a password hash', () => {
  it('is Argon2id with 19 MiB and two passes, and a salt of its own', async () => {
    const [one, other] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.notEqual(one, other);
    assert.deepEqual(costOf(one), standardCost);
  });

  it('is refused when it is of another kind, or dear enough to stop the broker', () => {
    const { memoryCost, ...rest } = standardCost;
    assert.notEqual(costOf(dummyHash(standardCost)), undefined);
    assert.equal(costOf(dummyHash({ memoryCost: memoryCost * 1_000, ...rest })), undefined);
    assert.equal(costOf(dummyHash(standardCost).replace('argon2id', 'argon2i')), undefined);
    assert.equal(costOf('$7$101$c2FsdA==$aGFzaA=='), undefined);
    assert.equal(costOf('secret'), undefined);
  });
});

describe('a password file', () => {
  it('knows its users by their passwords', async () => {
    await setPassword(path, 'alice', 'wonderland');
    await setPassword(path, 'Zoë', 'пароль');
    const file = await PasswordFile.load(path);
    assert.equal(file.size, 2);
    assert.equal(await file.verify('alice', bytes('wonderland')), 'ok');
    assert.equal(await file.verify('Zoë', bytes('пароль')), 'ok');
    assert.equal(await file.verify('alice', bytes('Wonderland')), 'no');
    assert.equal(await file.verify('alice', bytes('')), 'no');
    assert.equal(await file.verify('Alice', bytes('wonderland')), 'no');
    assert.equal(await file.verify('__proto__', bytes('')), 'no');
  });

  it('takes a hash made by the reference implementation', async () => {
    // printf wonderland | argon2 somesaltsomesalt -id -t 3 -m 14 -p 1 -e
    const file = PasswordFile.parse(
      `bob:$argon2id$v=19$m=16384,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$YbquCuNk85/1yFQFDx9vVm/evYQ+sF65gchZol5oQ54\n`,
      path,
    );
    assert.equal(await file.verify('bob', bytes('wonderland')), 'ok');
    assert.equal(await file.verify('bob', bytes('Wonderland')), 'no');
  });

  it('turns away whoever comes while too many are asking, and nobody else', async () => {
    const file = PasswordFile.parse(`bob:${await hashPassword('secret')}`, path, new WorkGate(1, 1));
    const answers = [
      file.verify('bob', bytes('secret')),
      file.verify('nobody', bytes('x')),
      file.verify('bob', bytes('secret')),
    ];
    assert.deepEqual(await Promise.all(answers), ['ok', 'no', 'busy']);
    assert.equal(await file.verify('bob', bytes('secret')), 'ok');
  });

  it('computes a hash for a user who is not in it, as dear as the dearest in it', async () => {
    let computed = 0;
    const gate = new WorkGate(1, 1);
    const counting = Object.assign(Object.create(gate), {
      run: <Result>(task: () => Promise<Result>) => {
        computed++;
        return gate.run(task);
      },
    }) as WorkGate;
    assert.equal(await PasswordFile.parse('', path, counting).verify('nobody', bytes('secret')), 'no');
    assert.equal(computed, 1);
  });

  it('may have comments, but no blank line, no line that is not understood, and no user twice', async () => {
    const hash = dummyHash(standardCost);
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
      [`alice:${hash}:x`, 1, 7, /hash of alice/],
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
    const bob = `bob:${dummyHash(standardCost)}`;
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

  it('refuses a user name that cannot be used, and an empty password', async () => {
    await assert.rejects(setPassword(path, 'a:b', 'secret'), { code: 'passwords.invalid' });
    await assert.rejects(setPassword(path, '#a', 'secret'), { code: 'passwords.invalid' });
    await assert.rejects(setPassword(path, 'alice', ''), { code: 'passwords.invalid' });
  });
});
