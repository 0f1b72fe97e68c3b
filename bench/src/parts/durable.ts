import type { Part } from '../part.js';
import { aedesRedis } from '../peer/aedes-redis.js';
import { moat } from '../peer/moat.js';
import { mosquitto } from '../peer/mosquitto.js';
import { nats } from '../peer/nats.js';
import { diskStudy } from '../scenarios/disk.js';
import { durableScenarios } from '../scenarios/durable.js';

export const durablePart: Part = {
  name: 'durable',
  title: 'With state on disk',
  scenarios: durableScenarios,
  studies: [diskStudy],
  peers: [moat('lmdb'), mosquitto(true, true), mosquitto(false, true), aedesRedis, nats],
  about: ({ repeat }) => `\
100 publishers and 100 subscribers with stored sessions, in pairs, 64 bytes of payload, 20 messages on their way for each
publisher. Online, a message is on its way until its subscriber has it; \`away\`, the subscribers have left and all is
queued; \`drained\`, they come back for 200,000 messages. Latency is that of the acknowledgement: from PUBLISH to PUBACK or
PUBREC. Each number is the median of ${repeat} fresh brokers, and CPU is counted as above; a measurement in which a message was
lost or doubled does not count.

What stands behind an acknowledgement is not the same for all:

- **moat**: the message is on disk, by fdatasync.
- **mosquitto**, with \`persistence true\`: nothing. It writes its state every half hour and when it ends, and syncs none
  of it: a power cut or \`kill -9\` loses what came since. It is here for what it costs, not for what it promises.
- **aedes-redis**: Aedes with aedes-persistence-redis on Debian's Redis over a Unix socket, \`appendonly yes\` and
  \`appendfsync always\`: each command that Redis answers is on disk. CPU and memory are those of both processes.
- **nats**: Debian's nats-server with file storage. It writes to the page cache before it acknowledges, and syncs every two
  minutes, which cannot be changed in this version: \`kill -9\` loses nothing, a power cut the last two minutes. It has no
  QoS 2.
`,
};
