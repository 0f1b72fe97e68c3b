import { guessingStudy } from '../identity/guessing.js';
import { passwordFilesStudy } from '../identity/password-files.js';
import type { Part } from '../part.js';
import { moat } from '../peer/moat.js';
import { mosquitto } from '../peer/mosquitto.js';
import { relay } from '../peer/relay.js';
import { connectionScenarios } from '../scenarios/connections.js';

export const identityPart: Part = {
  name: 'identity',
  title: 'Passwords and certificates',
  page: 'performance/identity.md',
  scenarios: connectionScenarios.filter(({ name }) => name === 'tls-connect-mutual'),
  studies: [passwordFilesStudy, guessingStudy],
  peers: [moat('memory'), mosquitto(true), mosquitto(false), relay],
  about: ({ repeat }) => `\
Connections with client certificates are measured as on [the page of all](../performance.md): TLS 1.3, full handshakes, ECDSA
P-256, 500 certificates in turn, one revocation list of 1,000 entries, the same files for each broker; the median of ${repeat}.
\`relay\` is \`tls.createServer\` of Node.js with these certificates, which asks for that of the client, knows no revocation list
and answers CONNECT: what lies above it is Moat's, and where even that misses a floor, the floor is \`out of reach\`.

A password file is read, looked into and held as the broker does it, in the process that measures. Memory is what its heap
and buffers have grown by, less the hashes. A login is one verification of a wrong password against an Argon2id hash of 19 MiB;
the files of 10 users and of 100,000 take turns.

Guesses are CONNECTs with names that exist and a password that is wrong, each on a connection of its own, from 50 addresses.
Measurements with and without them take turns on one broker, after ten seconds of guessing; each number is the median. Broker,
load and guesser share the cores of one machine. As it comes, Moat locks them out; without limits it checks all that it can.
\`relay\` takes the same connections and checks nothing; beside it, a process checks one password after the other, in a thread of
low priority as Moat does.
`,
};
