import assert from 'node:assert/strict';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { needs, run } from '@moat/testkit';
import type { Installation } from '../../dist/harden/installation.js';
import { selinux } from '../../dist/harden/selinux.js';
import { temporaryDirectory } from '../helpers/directory.js';
import { installationIn } from './installation.js';

const home = await temporaryDirectory();

/** Writes the module into a directory of its own. */
async function written(name: string, yaml = '', more: Partial<Installation> = {}): Promise<string> {
  const files = selinux.files({ ...installationIn('/srv/a.b+c', yaml), ...more });
  const directory = join(home, name);
  await mkdir(join(directory, 'selinux'), { recursive: true });
  for (const { path, text } of files) await writeFile(join(directory, path), text);
  return join(directory, 'selinux');
}

/** As the guide says: m4, checkmodule and semodule_package. */
async function compile(directory: string): Promise<{ code: number | null; said: string }> {
  const args = ['-f', '/usr/share/selinux/devel/Makefile', 'NAME=default', 'moat.pp'];
  const { code, stdout, stderr } = await run('make', args, { cwd: directory });
  return { code, said: stdout + stderr };
}

describe('The policy module for SELinux', needs('checkmodule', 'semodule_package', 'make'), () => {
  it('compiles, whatever the configuration is', async () => {
    const cases = {
      usual: await written('usual'),
      asking: await written('asking', 'listeners: [{ protocol: mqtts, ocsp: soft }]'),
      journal: await written('journal', '', { logFile: undefined, file: undefined }),
    };
    for (const [name, directory] of Object.entries(cases)) {
      const { code, said } = await compile(directory);
      assert.equal(code, 0, `${name}: ${said}`);
      await access(join(directory, 'moat.pp'));
    }
  });

  it('does not compile with a mistake in it, so that the above says something', async () => {
    const directory = await written('broken');
    const module = join(directory, 'moat.te');
    await writeFile(module, (await readFile(module, 'utf8')).replace('type moat_log_t;', ''));
    assert.notEqual((await compile(directory)).code, 0);
  });

  it('lets the broker connect to others only where authorities are to be asked', async () => {
    const connects = async (yaml: string) =>
      (await readFile(join(await written('connects', yaml), 'moat.te'), 'utf8')).includes('tcp_connect');
    assert.equal(await connects(''), false);
    assert.equal(await connects('listeners: [{ protocol: mqtts, ocsp_stapling: true }]'), true);
  });

  it('labels the files of the broker, and no others', async () => {
    const rows = (await readFile(join(await written('labels'), 'moat.fc'), 'utf8')).split('\n').slice(1, -1);
    const typeOf = (path: string) => {
      const row = rows.find((each) => new RegExp(`^${each.split('\t')[0]}$`).test(path));
      return /object_r:(\w+)/.exec(row ?? '')?.[1];
    };
    assert.equal(typeOf('/srv/a.b+c/moat-data/store/data.mdb'), 'moat_var_lib_t');
    assert.equal(typeOf('/srv/a.b+c/moat.yaml'), 'moat_etc_t');
    assert.equal(typeOf('/srv/a.b+c/moat.log.1.gz'), 'moat_log_t');
    assert.equal(typeOf('/srv/aXb+c/moat.yaml'), undefined);
    assert.equal(typeOf('/srv/a.b+c/moat-data2'), undefined);
  });

  it('names every port of the configuration to semanage, once', async () => {
    const yaml = 'listeners: [{ protocol: mqtt }, { protocol: mqtts }]\nadmin: { http: "127.0.0.1:9883" }';
    const directory = await written('ports', yaml);
    assert.equal((await run('sh', ['-n', join(directory, 'ports.sh')])).code, 0);
    const text = await readFile(join(directory, 'ports.sh'), 'utf8');
    const ports = [...text.matchAll(/^semanage port -a -t moat_port_t -p tcp (\d+)/gm)].map(([, port]) => port);
    assert.deepEqual(ports, ['1883', '8883', '9883']);
  });
});
