import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { portReady, startProcess } from '@moat/testkit';
import { freePorts, host, type Peer, runningBroker } from './peer.js';
import { debianProgram } from './program.js';

const program = debianProgram('nats-server');

/**
 * NATS speaks MQTT 3.1.1 with QoS 0 and 1 by its JetStream, with file storage. Its files are written before a message
 * is acknowledged and synced every two minutes; 2.9 has no setting for that.
 */
export const nats: Peer = {
  name: 'nats',
  maximumQos: 1,
  version: () => `NATS ${program.version('--version', /v(\d\S*)/)}`,
  missing: program.missing,

  async start(directory, certificate) {
    const ports = await freePorts();
    const file = join(directory, 'nats.conf');
    const lines = [
      'server_name: bench', // its MQTT wants one
      `listen: "${host}:-1"`, // its own protocol, which nobody speaks here
      `jetstream { store_dir: "${directory}" }`,
      `mqtt { listen: "${host}:${ports.plain}", max_ack_pending: 1024 }`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const child = startProcess(program.path, ['-c', file], { stdio: 'ignore' });
    return runningBroker(child, portReady(child, ports.plain), ports, certificate);
  },
};
