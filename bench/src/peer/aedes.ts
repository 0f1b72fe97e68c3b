import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../processes.js';
import { freePorts, type Peer, runningBroker } from './peer.js';
import { portReady } from './ready.js';

const server = fileURLToPath(new URL('aedes-server.js', import.meta.url));

export const aedes: Peer = {
  name: 'aedes',

  version: aedesVersion,

  async start(_directory, certificate) {
    const ports = await freePorts();
    const args = [server, certificate.certfile, certificate.keyfile, String(ports.plain), String(ports.secure)];
    const child = startProcess(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    return runningBroker(child, portReady(child, ports.secure), ports, certificate);
  },
};

export function aedesVersion(): string {
  const manifest = readFileSync(new URL('package.json', import.meta.resolve('aedes')), 'utf8');
  return `Aedes ${(JSON.parse(manifest) as { version: string }).version}`;
}
