import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../processes.js';
import type { Certificate } from './certificate.js';
import { freePorts, type Peer, type Ports, runningBroker } from './peer.js';
import { portReady } from './ready.js';

const server = fileURLToPath(new URL('aedes-server.js', import.meta.url));

/** The command line of one; the socket is that of a Redis that keeps its state. */
export function aedesArguments({ certfile, keyfile, clients }: Certificate, ports: Ports, socket?: string): string[] {
  const files = [certfile, keyfile, clients.cafile, clients.crlfile];
  const numbers = [ports.plain, ports.secure, ports.mutual].map(String);
  return [server, ...files, ...numbers, ...(socket === undefined ? [] : [socket])];
}

export const aedes: Peer = {
  name: 'aedes',

  version: aedesVersion,

  async start(_directory, certificate) {
    const ports = await freePorts();
    const child = startProcess(process.execPath, aedesArguments(certificate, ports), {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    return runningBroker(child, portReady(child, ports.secure), ports, certificate);
  },
};

export function aedesVersion(): string {
  const manifest = readFileSync(new URL('package.json', import.meta.resolve('aedes')), 'utf8');
  return `Aedes ${(JSON.parse(manifest) as { version: string }).version}`;
}
