import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../processes.js';
import { aedesVersion } from './aedes.js';
import { freePorts, type Peer, runningBroker } from './peer.js';
import { debianProgram } from './program.js';
import { fileReady, portReady } from './ready.js';

const server = fileURLToPath(new URL('aedes-server.js', import.meta.url));
const program = debianProgram('redis-server');

/** Aedes that keeps its state in a Redis of its own, which syncs each command to disk before it answers. */
export const aedesRedis: Peer = {
  name: 'aedes-redis',
  version: () => `${aedesVersion()} with Redis ${program.version('--version', /v=(\S+)/)}`,
  missing: program.missing,

  async start(directory, { certfile, keyfile, ...certificate }) {
    const ports = await freePorts();
    const socket = join(directory, 'redis.sock');
    const durably = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const redis = startProcess(program.path, ['--port', '0', '--unixsocket', socket, '--dir', directory, ...durably], {
      stdio: 'ignore',
    });
    const args = [server, certfile, keyfile, String(ports.plain), String(ports.secure), socket];
    const child = startProcess(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const ready = fileReady(redis, socket).then(() => portReady(child, ports.secure));
    return runningBroker(child, ready, ports, { certfile, keyfile, ...certificate }, [redis]);
  },
};
