import { readFileSync } from 'node:fs';
import { startAlone } from './node-program.js';
import type { Peer } from './peer.js';

export const aedesProgram = 'aedes-server.js';

export const aedes: Peer = {
  name: 'aedes',
  version: aedesVersion,
  start: (_directory, certificate) => startAlone(aedesProgram, certificate),
};

export function aedesVersion(): string {
  const manifest = readFileSync(new URL('package.json', import.meta.resolve('aedes')), 'utf8');
  return `Aedes ${(JSON.parse(manifest) as { version: string }).version}`;
}
