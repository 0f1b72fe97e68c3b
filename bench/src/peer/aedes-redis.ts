import { join } from 'node:path';
import { startProcess } from '../processes.js';
import { aedesArguments, aedesVersion } from './aedes.js';
import { freePorts, type Peer, runningBroker } from './peer.js';
import { debianProgram } from './program.js';
import { fileReady, portReady } from './ready.js';

const program = debianProgram('redis-server');

/** Aedes that keeps its state in a Redis of its own, which syncs each command to disk before it answers. */
export const aedesRedis: Peer = {
  name: 'aedes-redis',
  version: () => `${aedesVersion()} with Redis ${program.version('--version', /v=(\S+)/)}`,
  missing: program.missing,

  async start(directory, certificate) {
    const ports = await freePorts();
    const socket = join(directory, 'redis.sock');
    const durably = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const redis = startProcess(program.path, ['--port', '0', '--unixsocket', socket, '--dir', directory, ...durably], {
      stdio: 'ignore',
    });
    const child = startProcess(process.execPath, aedesArguments(certificate, ports, socket), {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const ready = fileReady(redis, socket).then(() => portReady(child, ports.secure));
    return runningBroker(child, ready, ports, certificate, [redis]);
  },
};
