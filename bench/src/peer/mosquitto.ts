import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { portReady, startProcess } from '@moat/testkit';
import { freePorts, host, type Peer, runningBroker } from './peer.js';
import { debianProgram } from './program.js';

const program = debianProgram('mosquitto');

/**
 * Mosquitto with Nagle's algorithm off or on, which is its default: neither is the better one everywhere. With
 * `persistence` it writes its state every half hour and when it ends, and syncs none of it.
 */
export function mosquitto(noDelay: boolean, persistence = false): Peer {
  return {
    name: noDelay ? 'mosquitto' : 'mosquitto-nagle',

    version: () => `Mosquitto ${program.version('-h', /version (\S+)/)}`,
    missing: program.missing,

    async start(directory, certificate) {
      const ports = await freePorts();
      const file = join(directory, 'mosquitto.conf');
      const lines = [
        `user ${process.getuid?.() === 0 ? 'root' : 'mosquitto'}`, // or it cannot read the key of this run
        `set_tcp_nodelay ${noDelay}`,
        'allow_anonymous true',
        'log_type none',
        'max_inflight_messages 0',
        'max_queued_messages 0',
        ...(persistence ? ['persistence true', `persistence_location ${directory}/`] : []),
        `listener ${ports.plain} ${host}`,
        `listener ${ports.secure} ${host}`,
        `certfile ${certificate.certfile}`,
        `keyfile ${certificate.keyfile}`,
        'tls_version tlsv1.3',
        `listener ${ports.mutual} ${host}`,
        `certfile ${certificate.certfile}`,
        `keyfile ${certificate.keyfile}`,
        'tls_version tlsv1.3',
        `cafile ${certificate.clients.cafile}`,
        `crlfile ${certificate.clients.crlfile}`,
        'require_certificate true',
        'use_identity_as_username true',
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      const child = startProcess(program.path, ['-c', file], { stdio: 'ignore' });
      return runningBroker(child, portReady(child, ports.secure), ports, certificate);
    },
  };
}
