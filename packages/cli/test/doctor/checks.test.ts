import assert from 'node:assert/strict';
import { chmod, chown, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { needs } from '@moat/testkit';
import { allChecks } from '../../dist/doctor/all-checks.js';
import type { Check, Problem } from '../../dist/doctor/check.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { configurationCases } from './configuration-cases.js';
import { fileCases } from './file-cases.js';
import { hostCases, withRules } from './host-cases.js';
import { type Setup, Worlds } from './world.js';

const cases = { ...configurationCases, ...fileCases, ...hostCases };
const special: Readonly<Record<string, readonly string[]>> = { 'kernel.no_firewall': ['nft', 'unshare', 'root'] };

const worlds = await Worlds.create(await temporaryDirectory());

describe('Each check of moat doctor', () => {
  const checkOf = (code: string): Check => allChecks.find((check) => check.code === code) ?? assert.fail(code);
  const problems = async (code: string, setup?: Setup): Promise<readonly Problem[]> => {
    const outcome = await worlds.ask(checkOf(code), setup);
    return 'unknown' in outcome ? assert.fail(outcome.unknown) : outcome;
  };
  const reason = async (code: string, setup?: Setup): Promise<string> => {
    const outcome = await worlds.ask(checkOf(code), setup);
    return 'unknown' in outcome ? outcome.unknown : assert.fail(JSON.stringify(outcome));
  };

  it('has a code of its own, and a case here', () => {
    assert.deepEqual(allChecks.map(({ code }) => code).sort(), Object.keys(cases).sort());
  });

  for (const [code, { weak, says, well }] of Object.entries(cases)) {
    it(`${code} fires`, needs(...(special[code] ?? [])), async () => {
      const found = await problems(code, weak);
      assert.equal(found.length, 1, JSON.stringify(found));
      assert.match(found[0]?.what ?? '', says);
      assert.ok((found[0]?.mend ?? '').length > 10);
    });

    it(`${code} is quiet`, needs(...(special[code] ?? [])), async () => {
      assert.deepEqual(await problems(code, well), []);
    });
  }

  it('says what it cannot know of a machine that does not tell', async () => {
    for (const code of ['process.descriptors', 'kernel.syn_cookies', 'machine.memory', 'disk.file_system'])
      assert.ok((await reason(code)).length > 10);
    const silent: Setup = (world) => {
      world.host = { run: async () => undefined };
    };
    assert.match(await reason('kernel.no_firewall', silent), /neither nft nor iptables/);
    assert.match(await reason('machine.clock', silent), /does not answer/);
    const young: Setup = (world) => {
      world.host = { nodeVersion: '97.0.0' };
    };
    assert.match(await reason('process.node_version', young), /newer than what is known/);
    const gone: Setup = ({ data }) => rm(data('.'), { recursive: true });
    for (const code of ['certificates.unusable', 'process.root', 'disk.space'])
      assert.match(await reason(code, gone), /there is no/);
  });

  it('takes the owner of the data directory for the user of the broker', needs('root'), async () => {
    assert.match((await problems('process.root'))[0]?.what ?? '', /is owned by root/);
    assert.deepEqual(await problems('process.root', ({ data }) => chown(data('.'), 65_534, 65_534)), []);
    const foreign: Setup = async ({ data }) => {
      await mkdir(data('audit'), { mode: 0o700 });
      await chown(data('audit'), 65_534, 65_534);
    };
    assert.match((await problems('audit.unwritable', foreign))[0]?.what ?? '', /belongs to another user/);
  });

  it('reads the rules of iptables where there is no nft', async () => {
    const rules = (text: string) => (world: { host: object }) => {
      world.host = { run: async (program: string) => (program === 'iptables' ? text : undefined) };
    };
    assert.equal((await problems('kernel.no_firewall', rules('-P INPUT ACCEPT\n'))).length, 1);
    assert.equal(
      (await problems('kernel.no_firewall', rules('-P INPUT ACCEPT\n-A INPUT -s 1.2.3.4/32 -j DROP\n'))).length,
      1,
    );
    assert.deepEqual(await problems('kernel.no_firewall', rules('-P INPUT DROP\n')), []);
  });

  it('takes the policy of a chain for a firewall', needs('nft', 'unshare', 'root'), async () => {
    const dropping = withRules('table inet a { chain c { type filter hook input priority 0; policy drop; }; }');
    assert.deepEqual(await problems('kernel.no_firewall', dropping), []);
  });

  it('finds a directory in which others can replace the configuration', async () => {
    const found = await problems('files.writable_by_others', ({ directory }) => chmod(directory, 0o777));
    assert.match(found[0]?.what ?? '', /has mode 0777/);
    assert.ok(found[0]?.mend.startsWith('chmod go-w '));
  });

  it('looks at the certificates for other names of a listener, and at their keys', async () => {
    const several: Setup = async (world) => {
      const { data } = world;
      const more = '[{ certfile: pki/other.crt, keyfile: pki/elsewhere/other.key }]';
      world.yaml = `listeners: [{ protocol: mqtts, more_certificates: ${more} }]`;
      await mkdir(data('pki/elsewhere'));
      await copyFile(data('pki/server.crt'), data('pki/other.crt'));
      await copyFile(data('pki/server.key'), data('pki/elsewhere/other.key'));
      await chmod(data('pki/other.crt'), 0o646);
      await chmod(data('pki/elsewhere/other.key'), 0o640);
      Object.assign(world as { now: Date }, { now: new Date(Date.now() + 345 * 86_400_000) });
    };
    const said = async (code: string): Promise<string[]> => (await problems(code, several)).map(({ what }) => what);
    assert.deepEqual(await said('certificates.unusable'), []);
    assert.match(
      (await said('certificates.server_ends')).join(),
      /server\.crt: .*other\.crt: the certificate runs out/,
    );
    assert.match((await said('files.key_readable')).join(), /^[^,]*elsewhere\/other\.key has mode 0640$/);
    assert.match((await said('files.writable_by_others')).join(), /^[^,]*other\.crt has mode 0646$/);
    const mixed: Setup = async (world) => {
      await several(world);
      await copyFile(world.data('pki/ca.crt'), world.data('pki/other.crt'));
    };
    assert.match((await problems('certificates.unusable', mixed))[0]?.what ?? '', /do not fit together/);
  });

  it('counts the old hashes that it does not name, and refuses files with mistakes, as every command does', async () => {
    const hash = `$7$101$c2FsdHNhbHRzYWx0$${Buffer.alloc(64, 1).toString('base64')}`;
    const many = Array.from({ length: 7 }, (_, index) => `u${index}:${hash}\n`).join('');
    const found = await problems('access.old_hashes', ({ data }) => writeFile(data('passwords'), many));
    assert.match(found[0]?.what ?? '', /u4 \(.*\) and 2 more$/);
    await assert.rejects(
      problems('access.old_hashes', ({ data }) => writeFile(data('passwords'), 'x\n')),
      /passwords:1/,
    );
    await assert.rejects(
      problems('access.unmeant_rules', ({ data }) => writeFile(data('policy.yaml'), 'rules: 3\n')),
      /policy\.yaml:1/,
    );
    assert.match(await reason('access.old_hashes', ({ data }) => rm(data('passwords'))), /cannot be read/);
  });

  it('does not mind where a store is that keeps nothing', async () => {
    assert.equal((await problems('disk.file_system', inMemory)).length, 0);
  });
});

const inMemory: Setup = async (world) => {
  world.yaml = 'storage: { engine: memory }';
  await world.put('/proc/self/mountinfo', '36 35 98:0 / / rw - tmpfs none rw');
};
