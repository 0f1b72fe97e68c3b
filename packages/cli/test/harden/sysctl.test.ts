import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '@moat/testkit';
import { sysctl } from '../../dist/harden/sysctl.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { command } from '../helpers/moat.js';
import { installationIn } from './installation.js';
import { Namespace } from './network.js';

const home = await temporaryDirectory();

function settingsFor(yaml: string): string {
  return sysctl.files(installationIn(home, yaml))[0]?.text ?? '';
}

test('the settings mend what the doctor finds', needs('sysctl', 'root', 'unshare', 'nsenter'), async (t) => {
  const namespace = await Namespace.create();
  t.after(() => namespace.end());
  await mkdir(join(home, 'moat-data'));
  await writeFile(join(home, 'settings.conf'), settingsFor(''));
  const kernelFindings = async () => {
    const { findings } = JSON.parse(await namespace.sh(`cd ${home} && (${command} doctor --json || true)`));
    return (findings as { code: string }[]).map(({ code }) => code).filter((code) => /accept_queue|syn_/.test(code));
  };
  await namespace.sh('sysctl -q -w net.core.somaxconn=128 net.ipv4.tcp_max_syn_backlog=128 net.ipv4.tcp_syncookies=0');
  assert.deepEqual(await kernelFindings(), ['kernel.syn_cookies', 'kernel.accept_queue', 'kernel.accept_queue']);
  await namespace.sh(`sysctl -q -p ${join(home, 'settings.conf')}`);
  assert.deepEqual(await kernelFindings(), []);
});

test('the settings follow the limit of connections', () => {
  assert.match(settingsFor('limits: { max_connections: 5000 }'), /^-net\.netfilter\.nf_conntrack_max = 10000$/m);
  assert.doesNotMatch(settingsFor('limits: { max_connections: 1048448 }'), /nr_open/);
  assert.match(settingsFor('limits: { max_connections: 1048449 }'), /^fs\.nr_open = 1048577$/m);
});
