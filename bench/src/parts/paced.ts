import { pacedPeers, pacedStudy } from '../paced/one-message-a-read.js';
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
load another. Where they share the cores, as on that page, a message is a third cheaper in some measurements, and later (p50 0.3 ms): what is taken
for the cause is that the system has both on one core then, where messages gather while the broker waits for its turn, and it reads several at once.

One fresh process after the other, alone, seven rounds of all; each is the median of five measurements of a second, and each number the median of
the rounds', ratios those of one round each. Where even the relay, which is no broker, misses a floor, the floor is \`out of reach\`.
`,
};
