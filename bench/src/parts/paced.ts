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
load another. On that page they share the cores, and now and then the system has both on one: then messages gather
while the broker waits for its turn, and it reads several at once. That makes a message cheaper and later, and is not the broker's doing.

One fresh process after the other, alone, seven rounds of all; each is the median of five measurements of a second, and each number the median of
the rounds', ratios those of one round each. Where even the relay, which is no broker, misses a floor, the floor is \`out of reach\`.
`,
};
