import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { portReady, startProcess } from '@moat/testkit';
import type { Certificate } from './certificate.js';
import { type Broker, freePorts, host, type Peer, runningBroker } from './peer.js';

const root = new URL('../../../', import.meta.url);
const command = fileURLToPath(new URL('bin/moat', root));

/** With its state in memory, or in its store on disk as by default. */
export const moat = (engine: 'memory' | 'lmdb'): Peer => ({
  name: 'moat',

  version() {
    const manifest = readFileSync(new URL('packages/broker/package.json', root), 'utf8');
    return `Moat ${(JSON.parse(manifest) as { version: string }).version}`;
  },

  start: (directory, certificate) =>
    startMoat(directory, certificate, { authorization: { default: 'allow' }, storage: { engine } }),
});

/** Starts Moat with more configuration than all measurements share. */
export async function startMoat(directory: string, certificate: Certificate, more: object): Promise<Broker> {
  const ports = await freePorts();
  const { certfile, keyfile, clients } = certificate;
  const max_connections = 20_000;
  const secure = { protocol: 'mqtts', bind: host, certfile, keyfile, tls_version: 'tlsv1.3', max_connections };
  const configuration = {
    data_dir: directory,
    listeners: [
      { protocol: 'mqtt', bind: host, port: ports.plain, max_connections },
      // The others, too, ask for a certificate only where they require one.
      { ...secure, port: ports.secure, cafile: clients.cafile, request_certificate: false },
      {
        ...secure,
        port: ports.mutual,
        cafile: clients.cafile,
        crlfile: clients.crlfile,
        require_certificate: true,
        use_identity_as_username: 'cn',
      },
    ],
    authentication: { allow_anonymous: true },
    limits: { profile: 'off' },
    // As the others, which log nothing either, nor keep a journal.
    log: { level: 'warn' },
    audit: { keep: 'nothing' },
    ...more,
  };
  const file = join(directory, 'moat.yaml');
  writeFileSync(file, JSON.stringify(configuration)); // every JSON text is a YAML text
  const child = startProcess(command, ['start', '-c', file], { stdio: ['ignore', 'ignore', 'inherit'] });
  return runningBroker(child, portReady(child, ports.secure), ports, certificate);
}
