import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProcess } from '../processes.js';
import { freePorts, host, type Peer, runningBroker } from './peer.js';
import { portReady } from './ready.js';

/** Debian puts it where only an administrator's PATH leads. */
const program = '/usr/sbin/mosquitto';

/** Mosquitto with Nagle's algorithm off or on, which is its default: neither is the better one everywhere. */
export function mosquitto(noDelay: boolean): Peer {
  return {
    name: noDelay ? 'mosquitto' : 'mosquitto-nagle',

    version() {
      const help = spawnSync(program, ['-h'], { encoding: 'utf8' }).stdout;
      return `Mosquitto ${/version (\S+)/.exec(help ?? '')?.[1] ?? '(not found)'}`;
    },

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
        `listener ${ports.plain} ${host}`,
        `listener ${ports.secure} ${host}`,
        `certfile ${certificate.certfile}`,
        `keyfile ${certificate.keyfile}`,
        'tls_version tlsv1.3',
      ];
      writeFileSync(file, `${lines.join('\n')}\n`);
      const child = startProcess(program, ['-c', file], { stdio: 'ignore' });
      return runningBroker(child, portReady(child, ports.secure), ports, certificate);
    },
  };
}
