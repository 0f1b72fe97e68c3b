import { nodeOfMoat, startAlone } from './node-program.js';
import type { Peer } from './peer.js';

/** No broker: what moving the bytes alone takes in Node.js. */
export const relay: Peer = {
  name: 'relay',
  version: () => 'a bare relay',
  start: (_directory, certificate) => startAlone('relay-server.js', certificate, nodeOfMoat),
};
