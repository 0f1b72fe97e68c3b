import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../processes.js';
import { freePorts, host, type Peer, runningBroker } from './peer.js';
import { portReady } from './ready.js';

const root = new URL('../../../', import.meta.url);
const command = fileURLToPath(new URL('bin/moat', root));

/** With its state in memory, or in its store on disk as by default. */
export const moat = (engine: 'memory' | 'lmdb'): Peer => ({
  name: 'moat',

  version() {
    const manifest = readFileSync(new URL('packages/broker/package.json', root), 'utf8');
    return `Moat ${(JSON.parse(manifest) as { version: string }).version}`;
  },

  async start(directory, certificate) {
    const ports = await freePorts();
    const { certfile, keyfile } = certificate;
    const max_connections = 20_000;
    const configuration = {
      data_dir: directory,
      listeners: [
        { protocol: 'mqtt', bind: host, port: ports.plain, max_connections },
        {
          protocol: 'mqtts',
          bind: host,
          port: ports.secure,
          certfile,
          keyfile,
          tls_version: 'tlsv1.3',
          max_connections,
        },
      ],
      authentication: { allow_anonymous: true },
      authorization: { default: 'allow' },
      limits: { profile: 'off' },
      storage: { engine },
      // As the others, which log nothing either.
      log: { level: 'warn' },
    };
    const file = join(directory, 'moat.yaml');
    writeFileSync(file, JSON.stringify(configuration)); // every JSON text is a YAML text
    const child = startProcess(process.execPath, [command, 'start', '-c', file], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return runningBroker(child, portReady(child, ports.secure), ports, certificate);
  },
});
