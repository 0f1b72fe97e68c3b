import type { Drill } from '../drill.js';
import { bruteForce } from './brute-force.js';
import { certificates } from './certificates.js';
import { clientIdTheft } from './client-id-theft.js';
import { manInTheMiddle } from './man-in-the-middle.js';
import { policyBypass } from './policy-bypass.js';
import { tlsDowngrade } from './tls-downgrade.js';
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
];
