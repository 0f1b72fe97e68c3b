import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findLibrary, writeCheapPasswords } from '@moat/testkit';
import { host, type Peer } from './broker.js';
import { verifyDepth } from './certificates.js';
import { writePasswords } from './passwords.js';
import { freePorts, preparedBroker, startAsService } from './prepared.js';

const root = new URL('../../../', import.meta.url);

/** As it comes: every limit at its default; with the allocator that the unit of `moat harden systemd` gives it. */
export const moat: Peer = {
  name: 'moat',
  version() {
    const manifest = readFileSync(new URL('packages/broker/package.json', root), 'utf8');
    return `Moat ${(JSON.parse(manifest) as { version: string }).version}`;
  },
  missing: () => undefined,

  async start(directory, setup, { cheapPasswords, neverLockedOut }) {
    const ports = await freePorts();
    const { certfile, keyfile, cafile, crlfile } = setup;
    const server = { bind: host, certfile, keyfile };
    const certificate = {
      ...server,
      cafile,
      crlfile,
      require_certificate: true,
      use_identity_as_username: 'cn',
      verify_depth: verifyDepth,
    };
    const configuration = {
      data_dir: directory,
      listeners: [
        { protocol: 'mqtt', bind: host, port: ports.mqtt },
        { protocol: 'mqtts', ...server, port: ports.mqtts },
        { protocol: 'wss', ...server, port: ports.wss },
        { protocol: 'mqtts', ...certificate, port: ports.mqttsCertificate },
        { protocol: 'wss', ...certificate, port: ports.wssCertificate },
      ],
      authentication: { rehash_passwords: !cheapPasswords },
      authorization: { acl_file: 'acl' },
      ...(neverLockedOut ? { guard: { allow: ['127.0.0.0/8'] } } : {}),
      log: { level: 'error' },
    };
    await (cheapPasswords ? writeCheapPasswords : writePasswords)(join(directory, 'passwords'), setup.users);
    await writeFile(join(directory, 'acl'), setup.accessList);
    const file = join(directory, 'moat.yaml');
    await writeFile(file, JSON.stringify(configuration)); // every JSON text is a YAML text
    const command = [fileURLToPath(new URL('bin/moat', root)), 'start', '-c', file];
    const allocator = findLibrary('libjemalloc.so.2');
    const env = { ...process.env, ...(allocator === undefined ? {} : { LD_PRELOAD: allocator }) };
    const child = startAsService(process.execPath, command, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    return preparedBroker('moat', child, ports, setup);
  },
};
