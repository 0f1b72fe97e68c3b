import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { findProgram, needs, RawClient, readPacket, run } from '@moat/testkit';
import { connectPacket } from '@moat/testkit/packets';
import { findJemalloc } from '../../dist/harden/find-jemalloc.js';
import { systemd } from '../../dist/harden/systemd.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { command } from '../helpers/moat.js';
import { patience, unhurried } from '../helpers/patience.js';
import { installationIn } from './installation.js';
import { allowedCalls, settingsOf } from './unit.js';

const home = await temporaryDirectory();

/** The unit for a configuration of its own, as a file. */
async function unitFor(name: string, yaml = '', allocator?: string): Promise<{ file: string; text: string }> {
  const directory = join(home, name);
  await mkdir(directory);
  const [unit] = systemd.files({ ...installationIn(directory, yaml), allocator });
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

  it('has memory go back to the system with jemalloc where that is', needs('lib:libjemalloc.so.2'), async () => {
    const allocator = (await findJemalloc()) ?? assert.fail('it is not found');
    const { file, text } = await unitFor('jemalloc', '', allocator);
    assert.deepEqual(settingsOf(text).get('Environment')?.slice(1), [`LD_PRELOAD=${allocator}`]);
    const { code, stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', file]);
    assert.deepEqual([code, stdout, stderr], [0, '', '']);
    const none = { run: async () => '\tlibjemalloc.so.2 (libc6) => /lib/i386-linux-gnu/libjemalloc.so.2\n' };
    assert.equal(await findJemalloc(none), undefined, 'that of other programs');
    assert.equal(await findJemalloc({ run: async () => undefined }), undefined);
    assert.equal(settingsOf((await unitFor('without')).text).get('Environment')?.length, 1);
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

  it('allows every system call that a broker makes, and every kind of socket', needs('strace'), async (t) => {
    const yaml = `listeners: [{ protocol: mqtt, port: 0 }]\n${unhurried}`;
    const settings = settingsOf((await unitFor('traced', yaml)).text);
    const cwd = join(home, 'traced');
    await writeFile(join(cwd, 'moat.yaml'), yaml);
    const allowed = await allowedCalls(settings.get('SystemCallFilter') ?? []);
    const trace = await startTraced(
      cwd,
      [...allowed].filter((call) => !signs.includes(call)),
    );
    t.after(() => trace.signal('SIGKILL').catch(() => {}));
    const [{ port = 0 } = {}] = (await trace.logged('ready')).listeners ?? [];
    // A password is checked in a thread of its own, with a priority of its own.
    const client = await RawClient.connect(port, { timeout: patience });
    client.send(connectPacket(4, { clientId: 'admin', username: 'admin', password: 'guess' }));
    assert.equal(await readPacket(client), '20020005');
    await trace.signal('SIGHUP');
    await trace.logged('config.reloaded');
    await trace.signal('SIGTERM');
    assert.deepEqual(await trace.gone, [0, null]);
    const { calls, families } = await traced(join(cwd, 'trace'));
    assert.deepEqual([...calls].sort(), signs);
    assert.ok(!allowed.has('ptrace') && !allowed.has('sched_setaffinity') && !allowed.has('mount'));
    const kinds = settings.get('RestrictAddressFamilies')?.[0]?.split(' ') ?? [];
    assert.deepEqual(
      [...families].filter((family) => !kinds.includes(family)),
      [],
    );
  });
});

/** Calls that are traced although they are allowed: that they are seen shows that others would be. */
const signs = ['fdatasync', 'listen', 'setpriority', 'socket'];

interface Line {
  readonly msg: string;
  readonly listeners?: readonly { readonly port: number }[];
}

/** A broker in `cwd` of which every system call is traced but for these, which makes it little slower. */
async function startTraced(cwd: string, untraced: readonly string[]) {
  // Not every strace knows every call that systemd knows.
  const shown = `trace=!${untraced.map((call) => `?${call}`).join(',')}`;
  const args = ['-f', '--seccomp-bpf', '-qq', '-e', 'signal=none', '-e', shown, '-o', join(cwd, 'trace')];
  const child = spawn(findProgram('strace') ?? 'strace', [...args, command, 'start'], {
    cwd,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    gone,
    async logged(message: string): Promise<Line> {
      for (;;) {
        const { value, done } = await lines.next();
        if (done) return assert.fail(`it ended before ${message}`);
        const line = JSON.parse(value) as Line;
        if (line.msg === message) return line;
      }
    },
    async signal(name: NodeJS.Signals): Promise<void> {
      const [pid] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).split(' ');
      process.kill(Number(pid), name);
    },
  };
}
