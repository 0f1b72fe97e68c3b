import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { needs, run, waitFor } from '@moat/testkit';
import { fail2ban } from '../../dist/harden/fail2ban.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { patience, unhurried } from '../helpers/patience.js';
import { installationIn } from './installation.js';
import { LoggingBroker } from './logging-broker.js';
import { connectedPair } from './network.js';

const home = await temporaryDirectory();

const yaml = `sys_interval: 0
listeners: [{ protocol: mqtt, port: 1883, bind: "*", expose_plaintext: true }]
guard: { allow: [10.77.0.9] }
${unhurried}`;

/** Writes what Fail2ban needs into a directory that it takes for /etc/fail2ban. */
async function etcFail2ban(directory: string, configuration = yaml): Promise<string> {
  const etc = join(directory, 'fail2ban');
  for (const { path, text } of fail2ban.files(installationIn(directory, configuration))) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
  for (const name of ['action.d', 'jail.conf', 'paths-common.conf', 'paths-debian.conf'])
    await symlink(`/etc/fail2ban/${name}`, join(etc, name));
  const settings = ['socket', 'pidfile', 'dbfile'].map((name) => `${name} = ${join(directory, name)}`);
  const log = ['loglevel = INFO', `logtarget = ${join(directory, 'fail2ban.log')}`, 'syslogsocket = auto'];
  await writeFile(join(etc, 'fail2ban.conf'), ['[Definition]', ...log, ...settings, 'dbpurgeage = 1d', ''].join('\n'));
  return etc;
}

/** What the filter makes of lines: for each address how often. */
async function matches(lines: readonly string[], ...options: string[]): Promise<Record<string, number>> {
  const [log, filter] = [join(home, 'lines'), join(home, 'fail2ban/filter.d/moat.conf')];
  await writeFile(log, `${lines.join('\n')}\n`);
  const { stdout } = await run('fail2ban-regex', ['-v', ...options, log, filter]);
  const counts: Record<string, number> = {};
  for (const [, address = ''] of stdout.matchAll(/^\|\s+(\S+) {2}\w{3} \w{3} /gm))
    counts[address] = (counts[address] ?? 0) + 1;
  return counts;
}

const line = (event: string, address: string, more = '') =>
  `{"level":"info","time":1795640838885,"event":"${event}","address":"${address}","listener":"mqtts:8883",${more}"msg":"${event}"}`;

describe('The filter and the jails of Fail2ban', needs('fail2ban-regex', 'fail2ban-server'), () => {
  it('take the address of a failure, of whatever kind, and of nothing else', async () => {
    await etcFail2ban(home);
    const forged = '"clientId":"{\\"level\\":\\"info\\",\\"event\\":\\"auth.failed\\",\\"address\\":\\"192.0.2.9\\"",';
    const lines = [
      line('auth.failed', '192.0.2.1'),
      line('auth.failed', '2001:db8::1'),
      line('auth.locked', '192.0.2.1'),
      line('client.protocol_error', '192.0.2.2'),
      line('tls.client_rejected', '192.0.2.3'),
      line('ban.refused', '192.0.2.3'),
      line('client.connected', '192.0.2.4', forged),
    ];
    const expected = { '192.0.2.1': 2, '2001:db8::1': 1, '192.0.2.2': 1, '192.0.2.3': 2 };
    assert.deepEqual(await matches(lines), expected);
    // As the journal has them: the date apart, and host and program in front.
    const journal = lines.map((each) => `2026-11-26 01:02:03 host moat[77]: ${each}`);
    assert.deepEqual(await matches(journal, '-d', '^%Y-%m-%d %H:%M:%S'), expected);
  });

  it('are refused for a log that Fail2ban cannot read', () => {
    const files = (log: string) => fail2ban.files(installationIn(home, `log: ${log}`));
    assert.throws(() => files('{ format: pretty }'), /log\.format is pretty.*\(write auto or json\)/);
    assert.throws(() => files('{ level: warn }'), /log\.level warn hides/);
  });

  it('follow the limits, and are off where they would ban nobody', async () => {
    const jails = (text: string) => fail2ban.files(installationIn(home, text))[1]?.text ?? '';
    assert.match(
      jails('limits: { profile: strict, lockout_time: 60 }'),
      /^maxretry = 5\nfindtime = 600\nbantime = 60$/m,
    );
    const proxied = 'listeners: [{ protocol: mqtts, proxy_protocol: v2, trusted_proxies: [10.0.0.5] }]';
    for (const [index, text] of ['listeners: [{ protocol: mqtt }]', 'limits: { profile: off }', proxied].entries()) {
      assert.doesNotMatch(jails(text), /enabled = true/);
      const directory = join(home, `off-${index}`);
      await mkdir(directory);
      const { code, stdout, stderr } = await run('fail2ban-client', ['-c', await etcFail2ban(directory, text), '-t']);
      assert.equal(code, 0, stdout + stderr);
    }
  });

  it(
    'keep a client that guesses out by the firewall, and nobody else',
    needs('root', 'nft', 'unshare', 'nsenter', 'ip', 'mosquitto_pub'),
    async (t) => {
      const directory = join(home, 'running');
      await mkdir(join(directory, 'moat-data'), { recursive: true });
      const pair = await connectedPair({ server: ['10.77.0.1/24'], client: ['10.77.0.2/24', '10.77.0.9/24'] });
      const broker = await LoggingBroker.start(directory, yaml, (...words) => pair.server.enter(...words));
      const where = ['-c', await etcFail2ban(directory), '-s', join(directory, 'socket')];
      const guard = spawn(...pair.server.enter('fail2ban-server', ...where, '-f', 'start'), { stdio: 'ignore' });
      const gone = once(guard, 'exit');
      t.after(async () => {
        guard.kill('SIGKILL');
        await Promise.all([gone, broker.stop()]);
        await pair.end();
      });
      const ask = (...args: string[]) => run(...pair.server.enter('fail2ban-client', ...where, ...args));
      await waitFor(async () => (await ask('status', 'moat-guessing')).code === 0, { timeout: patience });
      const login = (from: string, name: string) => {
        const credentials = ['-u', name, '-P', 'guess', '-t', 't', '-m', 'm'];
        return run(...pair.client.enter('mosquitto_pub', '-h', '10.77.0.1', '-A', from, ...credentials));
      };
      // The tenth failure locks out the address, whatever the names were.
      for (let guess = 0; guess < 12; guess++) {
        await login('10.77.0.2', `user${guess}`);
        await login('10.77.0.9', `user${guess}`);
      }
      const banned = async () => (await ask('status', 'moat-guessing')).stdout.includes('Banned IP list:\t10.77.0.2');
      await waitFor(banned, { timeout: patience });
      // It is told before the firewall knows: the rule comes first, and the address in its set last.
      const rules = () => pair.server.sh('nft list ruleset');
      await waitFor(async () => (await rules()).includes('elements = { 10.77.0.2 }'), { timeout: patience });
      assert.match(await rules(), /tcp dport 1883 ip saddr @addr-set-moat-guessing reject/);
      assert.match((await login('10.77.0.2', 'user0')).stderr, /refused|Errno/i);
      assert.match((await login('10.77.0.9', 'user0')).stderr, /not authori[sz]ed|bad user name/i);
    },
  );
});
