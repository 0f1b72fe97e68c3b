import type { Part } from '../part.js';
import { aedes } from '../peer/aedes.js';
import { moat } from '../peer/moat.js';
import { mosquitto } from '../peer/mosquitto.js';
import { relay } from '../peer/relay.js';
import { codecStudy } from '../scenarios/codec-study.js';
import { connectionScenarios } from '../scenarios/connections.js';
import { messageScenarios } from '../scenarios/messages.js';
import { subscriptionStudy } from '../scenarios/subscriptions.js';

export const memoryPart: Part = {
  name: 'memory',
  title: 'With all state in memory',
  scenarios: [...messageScenarios, ...connectionScenarios],
  studies: [codecStudy, subscriptionStudy],
  peers: [moat('memory'), mosquitto(true), mosquitto(false), aedes, relay],
  about: ({ repeat, warmUpMs }) => `\
Every broker lets everybody do everything, keeps its state in memory, and runs in a fresh process for each measurement; the
load comes from a process of its own over loopback. Measurements of the same scenario take turns among the brokers, and each
number is the median of ${repeat}. CPU is user and system time of all threads of the broker, from \`/proc\`, read while no
message is on its way. A measurement in which a message was lost or doubled does not count. Messages count after ${warmUpMs / 1000}
seconds, and connections after 8,000, since V8 compiles what is hot in its first seconds and a broker runs for months. Paced
messages are warmed up and measured for thrice as long, since a tenth as many come.

Messages have 64 bytes of payload unless said. Saturated publishers keep a window full: 2,000 messages in all on their way
with QoS 0 (1 → 500: 200; 16 KiB: 64), 20 for each publisher with QoS 1 and 2; latency there is the time spent in that
window. The paced load is one message in one write, from one publisher after the other. Mosquitto is measured with
\`set_tcp_nodelay\` on (\`mosquitto\`) and off (\`mosquitto-nagle\`), and the lower number of the two counts.
\`relay\` is no broker but the measure of what Node.js can do: it hands on the bytes that it reads, answers where the load
needs an answer, checks nothing and remembers nothing. It is started as Moat is, with what V8 and OpenSSL are told. Where even that misses a floor, the floor is \`out of reach\`.
All TLS is 1.3 with an ECDSA P-256 certificate; no session is resumed. Only where client certificates are measured does a broker ask for one.
"× Moat" says how many times as much as Moat a broker takes.
`,
};
