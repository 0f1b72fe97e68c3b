import { checkDeliveries } from './deliveries.js';
import type { Fault, History } from './history.js';
import { checkRetained } from './retained.js';
import { checkSessions } from './sessions.js';
import { checkWills } from './wills.js';

export type { Fault } from './history.js';

/**
 * Judges a history by what was acknowledged: nothing of it is missing, nothing of QoS 2 came twice, order was kept, and
 * sessions, subscriptions, retained messages and wills are as they were promised.
 */
export function check(history: History): Fault[] {
  return [checkSessions, checkDeliveries, checkRetained, checkWills].flatMap((each) => each(history));
}
