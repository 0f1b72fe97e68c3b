import type { Drill } from '../drill.js';
import { policyBypass } from './policy-bypass.js';

/** Every drill there is. */
export const drills: readonly Drill[] = [policyBypass];
