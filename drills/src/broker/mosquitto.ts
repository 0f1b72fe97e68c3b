import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, writeCheapPasswords } from '@moat/testkit';
import { host, type Peer } from './broker.js';
import { freePorts, preparedBroker, startAsService } from './prepared.js';
import { oddNames } from './setup.js';

const program = findProgram('mosquitto');

/** As it comes, but for Nagle's algorithm and what its password file, rights and TLS have to be set to. */
export const mosquitto: Peer = {
  name: 'mosquitto',
  version() {
    const { stdout } = spawnSync(program ?? 'mosquitto', ['-h'], { encoding: 'utf8' });
    return `Mosquitto ${/version (\S+)/.exec(stdout ?? '')?.[1] ?? '(not found)'}`;
  },
  missing: () => (program === undefined ? 'needs mosquitto (apt-get install mosquitto)' : undefined),

  async start(directory, setup) {
    const ports = await freePorts();
    const server = [`certfile ${setup.certfile}`, `keyfile ${setup.keyfile}`, 'tls_version tlsv1.3'];
    const certificate = [
      ...server,
      `cafile ${setup.cafile}`,
      `crlfile ${setup.crlfile}`,
      'require_certificate true',
      'use_identity_as_username true',
    ];
    const [passwords, acl, file] = ['passwords', 'acl', 'mosquitto.conf'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ];
    const lines = [
      `user ${process.getuid?.() === 0 ? 'root' : 'mosquitto'}`, // or it cannot read the key of this run
      'persistence false',
      'set_tcp_nodelay true',
      'log_type none',
      `password_file ${passwords}`,
      `acl_file ${acl}`,
      `listener ${ports.mqtt} ${host}`,
      `listener ${ports.mqtts} ${host}`,
      ...server,
      `listener ${ports.wss} ${host}`,
      'protocol websockets',
      ...server,
      `listener ${ports.mqttsCertificate} ${host}`,
      ...certificate,
      `listener ${ports.wssCertificate} ${host}`,
      'protocol websockets',
      ...certificate,
    ];
    const odd = Object.fromEntries(oddNames.map((name) => [name, setup.users.mallory]));
    await writeCheapPasswords(passwords, { ...setup.users, ...odd });
    await writeFile(acl, setup.accessList, { mode: 0o600 });
    await writeFile(file, `${lines.join('\n')}\n`);
    const child = startAsService(program ?? 'mosquitto', ['-c', file], { stdio: 'ignore' });
    return preparedBroker('mosquitto', child, ports, setup);
  },
};
