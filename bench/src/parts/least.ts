import { leastPeers, leastStudies } from '../alone/least.js';
import type { Part } from '../part.js';

export const leastPart: Part = {
  name: 'least',
  title: 'The least that messages take',
  page: 'performance/least.md',
  scenarios: [],
  studies: leastStudies,
  peers: leastPeers,
  about: () => `\
What is left to a broker, whatever it is written in. \`relay-c\` is a relay in C: it waits, reads all there is, and writes it on as it is, of
QoS 1 with one more write for all PUBACK of a read. It checks nothing and remembers nothing. Over TLS 1.3 it does the same around OpenSSL, with
AES-128, as Moat does; the others agree on AES-256 with the load. Brokers and \`relay\`, which is the same in Node.js, are
those of [the page of all](../performance.md); here the broker has a core of its own, and its load another.

All brokers run, and are measured in turns of 0.4 seconds, one right behind the other: what else the machine does falls on all of them. Five fresh
processes of each, ten turns each behind eight that do not count. Numbers are the median of all turns, and shares that of the shares in each turn. Of Mosquitto the setting counts
that takes less. Where the relay in C misses a floor, it is \`out of reach\`: of whoever reads and writes through the
system's sockets.
`,
};
