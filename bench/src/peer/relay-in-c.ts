import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { portReady, startProcess } from '@moat/testkit';
import { freePorts, type Peer, runningBroker } from './peer.js';
import { debianProgram } from './program.js';

const compiler = debianProgram('gcc');
const source = fileURLToPath(new URL('../../src/peer/relay.c', import.meta.url));

/** No broker: what the system calls alone take, in C. It has no TLS, and one topic, QoS and size for each publisher. */
export const relayInC: Peer = {
  name: 'relay-c',
  maximumQos: 1,
  missing: compiler.missing,
  version: () => `a bare relay in C (gcc ${compiler.version('--version', /(\S+)$/m)})`,
  async start(directory, certificate) {
    const program = join(directory, 'relay');
    execFileSync(compiler.path, ['-O2', '-o', program, source]);
    const ports = await freePorts();
    const child = startProcess(program, [`${ports.plain}`], { stdio: ['ignore', 'ignore', 'inherit'] });
    return runningBroker(child, portReady(child, ports.plain), ports, certificate);
  },
};
