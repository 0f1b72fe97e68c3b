import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { findProgram, needs, run } from '@moat/testkit';
import { systemd } from '../../dist/harden/systemd.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { command, moat } from '../helpers/moat.js';
import { installationIn } from './installation.js';
import { allowedCalls, settingsOf } from './unit.js';

const home = await temporaryDirectory();

/** The unit for a configuration of its own, as a file. */
async function unitFor(name: string, yaml = ''): Promise<{ file: string; text: string }> {
  const directory = join(home, name);
  await mkdir(directory);
  const [unit] = systemd.files(installationIn(directory, yaml));
  const file = join(directory, 'moat.service');
  await writeFile(file, unit?.text ?? '');
  return { file, text: unit?.text ?? '' };
}

async function exposure(file: string): Promise<number> {
  const { stdout, stderr } = await run('systemd-analyze', ['security', '--offline=true', '--no-pager', file]);
  return Number(/exposure level for \S+ (\d+\.\d)/.exec(stdout)?.[1] ?? assert.fail(stderr));
}

/** What a program called, by the trace of strace. */
async function traced(file: string): Promise<{ calls: Set<string>; families: Set<string> }> {
  const trace = await readFile(file, 'latin1');
  const calls = [...trace.matchAll(/^\d+ +(?:<\.\.\. )?(\w+)[( ]/gm)].map(([, call = '']) => call);
  const families = [...trace.matchAll(/ socket\((AF_\w+)/g)].map(([, family = '']) => family);
  return { calls: new Set(calls), families: new Set(families) };
}

describe('The unit for systemd', needs('systemd-analyze'), () => {
  it('exposes less than 2.0, privileged ports or not', async () => {
    assert.ok((await exposure((await unitFor('usual')).file)) < 2);
    const web = await unitFor('web', 'listeners: [{ protocol: wss, port: 443 }]');
    assert.ok((await exposure(web.file)) < 2);
    assert.deepEqual(settingsOf(web.text).get('AmbientCapabilities'), ['CAP_NET_BIND_SERVICE']);
  });

  it('has nothing to complain about', async () => {
    for (const name of ['plain', 'with a blank, a $ and 100%']) {
      const { code, stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', (await unitFor(name)).file]);
      assert.deepEqual([code, stdout, stderr], [0, '', '']);
    }
  });

  it('follows the configuration', async () => {
    const { text } = await unitFor('follows', 'limits: { max_connections: 5000 }');
    const settings = settingsOf(text);
    assert.deepEqual(settings.get('LimitNOFILE'), ['5128']);
    assert.deepEqual(settings.get('ReadWritePaths'), [join(home, 'follows', 'moat-data')]);
    const start = `${command} start -c ${join(home, 'follows', 'moat.yaml')}`;
    assert.deepEqual(settings.get('ExecStart'), [start]);
    assert.equal(settings.get('Environment')?.[0]?.split(/[=:]/)[1], dirname(process.execPath));
  });

  it("comes with a directory for the log, which is root's", needs('systemd-tmpfiles', 'root'), async () => {
    const files = systemd.files({ ...installationIn(home), logFile: '/var/log/moat/moat.log' });
    const [root, settings] = [join(home, 'root'), join(home, 'moat.tmpfiles')];
    await mkdir(root);
    await writeFile(settings, files[1]?.text ?? '');
    const { code, stderr } = await run('systemd-tmpfiles', ['--create', `--root=${root}`, settings]);
    assert.equal(code, 0, stderr);
    const { mode, uid } = await stat(join(root, 'var/log/moat'));
    assert.deepEqual([mode & 0o777, uid], [0o750, 0]);
    assert.match(files[0]?.text ?? '', /^StandardOutput=append:\/var\/log\/moat\/moat\.log$/m);
    assert.equal(systemd.files({ ...installationIn(home), logFile: undefined }).length, 1);
  });

  it('allows every system call that a broker makes, and every kind of socket', needs('strace'), async () => {
    const { text } = await unitFor('traced', 'listeners: [{ protocol: mqtt, port: 0 }]');
    const cwd = join(home, 'traced');
    await writeFile(join(cwd, 'moat.yaml'), 'listeners: [{ protocol: mqtt, port: 0 }, { protocol: ws, port: 0 }]\n');
    const args = ['-f', '-qq', '-e', 'signal=none', '-o', join(cwd, 'trace'), command, 'start'];
    const child = spawn(findProgram('strace') ?? 'strace', args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
    const gone = once(child, 'exit');
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const logged = async (message: string) => {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) assert.fail(`it ended before ${message}`);
        const line = JSON.parse(value);
        if (line.msg === message) return line;
      }
    };
    const { listeners } = await logged('ready');
    // A password is checked in a thread of its own, with a priority of its own.
    const url = `mqtt://127.0.0.1:${listeners[0].port}`;
    await moat(['pub', '--url', url, '-u', 'admin', '-t', 'a', '-m', 'b'], { cwd, env: { MOAT_PASSWORD: 'guess' } });
    const { pid } = JSON.parse((await moat(['status', '--json'], { cwd })).stdout);
    process.kill(pid, 'SIGHUP');
    await logged('config.reloaded');
    process.kill(pid, 'SIGTERM');
    assert.deepEqual(await gone, [0, null]);
    const { calls, families } = await traced(join(cwd, 'trace'));
    const settings = settingsOf(text);
    const allowed = await allowedCalls(settings.get('SystemCallFilter') ?? []);
    assert.ok(calls.has('setpriority') && calls.has('fdatasync') && calls.has('listen'));
    assert.deepEqual(
      [...calls].filter((call) => !allowed.has(call)),
      [],
    );
    assert.ok(!allowed.has('ptrace') && !allowed.has('sched_setaffinity') && !allowed.has('mount'));
    const kinds = settings.get('RestrictAddressFamilies')?.[0]?.split(' ') ?? [];
    assert.deepEqual(
      [...families].filter((family) => !kinds.includes(family)),
      [],
    );
  });
});
