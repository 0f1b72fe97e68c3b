import type { Part } from '../part.js';
import { moat } from '../peer/moat.js';
import { queueStudy } from '../scale/queue.js';
import { startStudy } from '../scale/start.js';
import { diskStudy } from '../scenarios/disk.js';

export const scalePart: Part = {
  name: 'scale',
  title: 'What is stored',
  page: 'performance/scale.md',
  scenarios: [],
  studies: [startStudy, queueStudy, diskStudy],
  peers: [moat('lmdb')],
  about: () => `\
Each broker is \`moat start\` in a process of its own. Ready is the time from the start of the process until its port takes
connections, the start of Node.js included. Own memory is what no file is behind (\`Anonymous\` in \`smaps_rollup\`), read
when the broker has had ten seconds of quiet. What a session takes is the difference between all and a tenth of them: what
the engine needs to work is the same for both. What a queue takes is the difference to as many sessions without one. Pages
of the store are the kernel's: they count as resident, and are given back when others need them. In the own memory of the
process each payload is looked for by the bytes that it begins with.

A session is subscribed to ten topics of its own, \`devices/device-N/…\`, with QoS 1, belongs to a user of its own, and
expires after a week; a retained message has 64 bytes. Messages are queued with QoS 1 for 100 sessions by 100 publishers, 20 on
their way for each, and fetched by all sessions at once.
`,
};
