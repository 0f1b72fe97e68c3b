import { fileURLToPath } from 'node:url';
import { portReady, startProcess } from '@moat/testkit';
import type { Certificate } from './certificate.js';
import { type Broker, freePorts, runningBroker } from './peer.js';

/** How Node.js is started: as it comes, or as Moat has it started. */
type NodeCommand = readonly [string, ...string[]];
const nodeAsItComes: NodeCommand = [process.execPath];
export const nodeOfMoat: NodeCommand = [
  'sh',
  fileURLToPath(new URL('../../../packages/broker/node.sh', import.meta.url)),
];

/**
 * Starts a program of this folder as a broker, with the command line CERTFILE KEYFILE CAFILE CRLFILE PLAIN_PORT SECURE_PORT
 * MUTUAL_PORT and what is in `more`.
 */
export async function startProgram(
  file: string,
  certificate: Certificate,
  more: readonly string[] = [],
  [node, ...options] = nodeAsItComes,
) {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const { certfile, keyfile, clients } = certificate;
  const ports = await freePorts();
  const numbers = [ports.plain, ports.secure, ports.mutual].map(String);
  const child = startProcess(
    node,
    [...options, program, certfile, keyfile, clients.cafile, clients.crlfile, ...numbers, ...more],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return { child, ports, ready: portReady(child, ports.secure) };
}

/** The same, once it is ready. */
export async function startAlone(file: string, certificate: Certificate, node?: NodeCommand): Promise<Broker> {
  const { child, ports, ready } = await startProgram(file, certificate, [], node);
  return runningBroker(child, ready, ports, certificate);
}
