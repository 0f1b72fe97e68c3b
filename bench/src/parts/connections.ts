import { connectionPeers, connectionStudies } from '../alone/life-of-a-connection.js';
import type { Part } from '../part.js';

export const connectionsPart: Part = {
  name: 'connections',
  title: 'The life of a connection',
  page: 'performance/connections.md',
  scenarios: [],
  studies: connectionStudies,
  peers: connectionPeers,
  about: () => `\
CONNECT, CONNACK, DISCONNECT, and the end of the connection, 32 at once. Brokers and \`relay\` are those of
[the page of all](../performance.md), and so are certificates and settings; here the broker has a core of its own, and its load another.

All brokers run, and are measured in turns of 1,000 connections (of 3,000 over TCP), one right behind the other: what else the machine does
falls on all of them. Five fresh processes of each, ten turns each behind eight that do not count. Numbers are the median of all turns, and
shares that of the shares in each turn, beside the middle half of those. Of Mosquitto the setting counts that takes less.
`,
};
