import { pacedPeers, pacedStudy } from '../alone/one-message-a-read.js';
import type { Part } from '../part.js';

export const pacedPart: Part = {
  name: 'paced',
  title: 'A message that comes alone',
  page: 'performance/paced.md',
  scenarios: [],
  studies: [pacedStudy],
  peers: pacedPeers,
  about: () => `\
200 publishers send 15,000 messages a second, one message in one write, one publisher after the other, to a subscriber each: QoS 0,
64 bytes. Brokers and \`relay\` are those of [the page of all](../performance.md); here the broker has a core of its own, and its
load another. \`relay-c\` is a relay in C that takes three system calls a message, or fewer: one to wait, one to read, one to write; over TLS 1.3
with OpenSSL and AES-128, as Moat; the others agree on AES-256 with the load. So it tells what is left to whoever reads and writes each message by itself, whatever it is written in.

Where broker and load share the cores, as on that page, a message is a third cheaper in some measurements, and later (p50 0.3 ms): what is taken
for the cause is that the system has both on one core then, where messages gather while the broker waits for its turn, and it reads several at once.

All brokers run, and are measured in turns of a second, one right behind the other: what else the machine does falls on all of them. Five fresh
processes of each, eight turns each behind five that do not count. Numbers are the median of all turns, and shares that of the shares in each turn, beside the middle half of
those. Of Mosquitto the setting counts that takes less. Where even the relay in C, which is no broker, misses a floor, the floor is \`out of reach\`.
`,
};
