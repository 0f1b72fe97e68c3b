import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { portReady, startProcess } from '@moat/testkit';
import { freePorts, type Peer, runningBroker } from './peer.js';
import { debianProgram } from './program.js';

const compiler = debianProgram('gcc');
const sources = ['relay', 'wire'].map((name) =>
  fileURLToPath(new URL(`../../src/peer/relay-in-c/${name}.c`, import.meta.url)),
);

/** No broker: what the system calls alone take, and OpenSSL, in C. It has one topic, QoS and size for each publisher. */
export const relayInC: Peer = {
  name: 'relay-c',
  maximumQos: 1,
  missing: () =>
    compiler.missing() ??
    (existsSync('/usr/include/openssl/ssl.h') ? undefined : 'needs libssl-dev (apt-get install libssl-dev)'),
  version: () => `a bare relay in C (gcc ${compiler.version('--version', /(\S+)$/m)})`,
  async start(directory, certificate) {
    const program = join(directory, 'relay');
    execFileSync(compiler.path, ['-O2', '-o', program, ...sources, '-lssl', '-lcrypto']);
    const ports = await freePorts();
    const parameters = [`${ports.plain}`, `${ports.secure}`, certificate.certfile, certificate.keyfile];
    const child = startProcess(program, parameters, { stdio: ['ignore', 'ignore', 'inherit'] });
    return runningBroker(child, portReady(child, ports.plain), ports, certificate);
  },
};
