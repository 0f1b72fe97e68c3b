import { join } from 'node:path';
import { fileReady, startProcess, stopProcess } from '@moat/testkit';
import { aedesProgram, aedesVersion } from './aedes.js';
import { startProgram } from './node-program.js';
import { type Peer, runningBroker } from './peer.js';
import { debianProgram } from './program.js';

const program = debianProgram('redis-server');

/** Aedes that keeps its state in a Redis of its own, which syncs each command to disk before it answers. */
export const aedesRedis: Peer = {
  name: 'aedes-redis',
  version: () => `${aedesVersion()} with Redis ${program.version('--version', /v=(\S+)/)}`,
  missing: program.missing,

  async start(directory, certificate) {
    const socket = join(directory, 'redis.sock');
    const durably = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const redis = startProcess(program.path, ['--port', '0', '--unixsocket', socket, '--dir', directory, ...durably], {
      stdio: 'ignore',
    });
    await fileReady(redis, socket).catch((error: unknown) => stopProcess(redis).then(() => Promise.reject(error)));
    const { child, ports, ready } = await startProgram(aedesProgram, certificate, [socket]);
    return runningBroker(child, ready, ports, certificate, [redis]);
  },
};
