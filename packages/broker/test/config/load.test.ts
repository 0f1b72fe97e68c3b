// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to variables of the environment
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadConfiguration } from '../../dist/config/load.js';
import type { Configuration } from '../../dist/config/schema.js';
import { OperatorErrors } from '../../dist/errors.js';

let directory: string;
let file: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'moat-config-'));
  file = join(directory, 'moat.yaml');
  await mkdir(join(directory, 'data'));
});

after(() => rm(directory, { recursive: true }));

async function load(text: string, environment: NodeJS.ProcessEnv = {}): Promise<Configuration> {
  await writeFile(file, `data_dir: data\n${text}`);
  return loadConfiguration(file, environment);
}

async function mistakesOf(loading: Promise<Configuration>): Promise<{ code: string; text: string }[]> {
  const error = await loading.then(
    () => assert.fail('the configuration was accepted'),
    (error: unknown) => error,
  );
  assert.ok(error instanceof OperatorErrors, String(error));
  assert.equal(error.exitCode, 2);
  return error.errors.map((mistake) => ({ code: mistake.code, text: mistake.toString() }));
}

function passphraseOf({ listeners }: Configuration): string | undefined {
  const [listener] = listeners;
  assert.ok(listener?.protocol === 'mqtts');
  return listener.keyfile_passphrase;
}

const encrypted = (secret: string) => `listeners: [{ protocol: mqtts, keyfile_passphrase: "${secret}" }]`;

describe('loading a configuration', () => {
  it('finds paths in the data directory, and the data directory beside the file', async () => {
    const { data_dir, authentication, listeners } = await load(`listeners: [{ protocol: wss, certfile: ${file} }]`);
    assert.equal(data_dir, join(directory, 'data'));
    assert.equal(authentication.password_file, join(directory, 'data', 'passwords'));
    const [listener] = listeners;
    assert.ok(listener?.protocol === 'wss');
    assert.equal(listener.certfile, file);
    assert.equal(listener.keyfile, join(directory, 'data', 'pki', 'server.key'));
    assert.equal(listener.crlfile, undefined);
  });

  it('finds those of further certificates there, too, asks for them, and takes their passphrases from elsewhere', async () => {
    const more = `more_certificates: [{ certfile: named.crt, keyfile: ${file}, keyfile_passphrase: "\${KEY}" }]`;
    const written = `listeners:\n  - protocol: mqtts\n    ${more}`;
    const named = join(directory, 'data', 'named.crt');
    assert.deepEqual(
      (await mistakesOf(load(written, { KEY: 'from outside' }))).map(({ text }) => text.slice(file.length)),
      [`:4:37: ${named} does not exist (moat init makes what is missing)`],
    );
    await writeFile(named, '');
    const [listener] = (await load(written, { KEY: 'from outside' })).listeners;
    assert.ok(listener?.protocol === 'mqtts');
    assert.deepEqual(listener.more_certificates, [
      { certfile: named, keyfile: file, keyfile_passphrase: 'from outside' },
    ]);
    const [missing] = await mistakesOf(load(written));
    assert.equal(missing?.code, 'config.missing_secret');
    assert.ok(missing?.text.includes(':4:'), missing?.text);
  });

  it('does not ask for files that only the defaults name, for they may still have to be made', async () => {
    assert.equal((await load('')).authorization.policy_file, join(directory, 'data', 'policy.yaml'));
  });

  it('asks for every file that is named in so many words, and reports all that cannot be read', async () => {
    await mkdir(join(directory, 'data', 'folder'), { recursive: true });
    const mistakes = await mistakesOf(
      load(`listeners:
  - { protocol: mqtts, certfile: missing.crt, crlfile: folder }
authentication: { password_file: missing }
authorization:
  policy_file: moat.yaml/policy.yaml`),
    );
    const under = (name: string) => join(directory, 'data', name);
    assert.deepEqual(
      mistakes.map(({ text }) => text.slice(file.length)),
      [
        `:3:34: ${under('missing.crt')} does not exist (moat init makes what is missing)`,
        `:3:56: ${under('folder')} is a directory, not a file (moat init makes what is missing)`,
        `:4:34: ${under('missing')} does not exist (moat init makes what is missing)`,
        `:6:16: ${under('moat.yaml/policy.yaml')} does not exist (moat init makes what is missing)`,
      ],
    );
    assert.deepEqual(new Set(mistakes.map(({ code }) => code)), new Set(['config.unreadable']));
  });

  it('says so when there is no such file', async () => {
    const missing = join(directory, 'missing.yaml');
    const [mistake] = await mistakesOf(loadConfiguration(missing));
    assert.equal(mistake?.code, 'config.unreadable');
    assert.match(mistake?.text ?? '', /missing\.yaml does not exist \(name an existing file with -c/);
  });
});

describe('a secret', () => {
  it('is what is written', async () => {
    assert.equal(passphraseOf(await load(encrypted('open sesame'))), 'open sesame');
  });

  it('comes from the environment', async () => {
    assert.equal(passphraseOf(await load(encrypted('${KEY}'), { KEY: 'from outside' })), 'from outside');
  });

  it('comes from a file in the data directory, without its last line break', async () => {
    await writeFile(join(directory, 'data', 'passphrase'), ' two words \n');
    assert.equal(passphraseOf(await load(encrypted('file:passphrase'))), ' two words ');
  });

  const unresolved: [written: string, message: string][] = [
    ['${MISSING}', 'the environment has no variable MISSING'],
    ['${EMPTY}', 'the environment has no variable EMPTY'],
    ['file:nowhere', 'nowhere does not exist'],
    ['file:empty', 'empty is empty'],
    ['file:.', 'is a directory, not a file'],
  ];
  for (const [written, message] of unresolved) {
    it(`cannot be ${written} when there is none`, async () => {
      await writeFile(join(directory, 'data', 'empty'), '\n');
      const [mistake, ...more] = await mistakesOf(load(encrypted(written), { EMPTY: '' }));
      assert.equal(mistake?.code, 'config.missing_secret');
      assert.ok(mistake?.text.includes(`:2:52: `) && mistake.text.includes(message), mistake?.text);
      assert.equal(more.length, 0);
    });
  }

  it('is not shown when it is of the wrong type', async () => {
    const [mistake] = await mistakesOf(load('listeners: [{ protocol: mqtts, keyfile_passphrase: 271828 }]'));
    assert.ok(mistake?.text.endsWith('listeners[0].keyfile_passphrase must be text'), mistake?.text);
  });
});
