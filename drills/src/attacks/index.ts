import type { Drill } from '../drill.js';
import { bruteForce } from './brute-force.js';
import { certificates } from './certificates.js';
import { clientIdTheft } from './client-id-theft.js';
import { connectFlood } from './connect-flood.js';
import { manInTheMiddle } from './man-in-the-middle.js';
import { parser } from './parser.js';
import { policyBypass } from './policy-bypass.js';
import { publishFlood } from './publish-flood.js';
import { reconnectStorm } from './reconnect-storm.js';
import { retainedAndWillFlood } from './retained-and-will-flood.js';
import { slowConnections } from './slow-connections.js';
import { slowReader } from './slow-reader.js';
import { subscribeFlood } from './subscribe-flood.js';
import { tlsDowngrade } from './tls-downgrade.js';
import { tlsFlood } from './tls-flood.js';
import { userEnumeration } from './user-enumeration.js';

/** Every drill there is. */
export const drills: readonly Drill[] = [
  bruteForce,
  userEnumeration,
  clientIdTheft,
  certificates,
  tlsDowngrade,
  manInTheMiddle,
  policyBypass,
  slowConnections,
  connectFlood,
  tlsFlood,
  publishFlood,
  subscribeFlood,
  slowReader,
  reconnectStorm,
  retainedAndWillFlood,
  parser,
];
