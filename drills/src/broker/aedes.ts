import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Peer } from './broker.js';
import { freePorts, preparedBroker, startAsService } from './prepared.js';

const program = fileURLToPath(new URL('aedes-server.js', import.meta.url));

/** As its README shows it, with a function of our own for passwords, and Node's TLS. It has no rights of its own, and no MQTT 5.0. */
export const aedes: Peer = {
  name: 'aedes',
  version() {
    const manifest = readFileSync(new URL('package.json', import.meta.resolve('aedes')), 'utf8');
    return `Aedes ${(JSON.parse(manifest) as { version: string }).version}`;
  },
  missing() {
    try {
      import.meta.resolve('aedes');
      return undefined;
    } catch {
      return 'needs aedes (npm install aedes)';
    }
  },

  async start(directory, setup) {
    const ports = await freePorts();
    const file = join(directory, 'aedes.json');
    const { users, certfile, keyfile, cafile, crlfile } = setup;
    await writeFile(file, JSON.stringify({ ports, users, certfile, keyfile, cafile, crlfile }), { mode: 0o600 });
    const child = startAsService(process.execPath, [program, file], { stdio: ['ignore', 'ignore', 'inherit'] });
    return preparedBroker('aedes', child, ports, setup, [4]);
  },
};
