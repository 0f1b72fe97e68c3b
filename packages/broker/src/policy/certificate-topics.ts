import { parseSharedFilter } from '@moat/codec';
import type { Action } from './rule.js';

/** Where a device asks the broker for a certificate, and where it is answered. No message of anybody else's comes there. */
export const certificateTopics = { request: '$moat/certificate/request', answer: '$moat/certificate/answer' } as const;

/** Who asks, as far as that decides about these topics. */
interface Asker {
  readonly method: string;
  readonly certificate?: unknown;
}

/**
 * What no rule can change: undefined where the rules decide. Below `$moat/` the bearer of a certificate may ask for one
 * and be answered, and nobody may do anything else; the bearer of an invite may do that alone, here and everywhere.
 */
export function withoutRules(action: Action, target: string, asker: Asker): boolean | undefined {
  if (isInvited(asker)) return action === 'connect' || isExchange(action, target);
  if (action === 'connect' || !isOwn(target)) return undefined;
  return asker.certificate !== undefined && isExchange(action, target);
}

/** The bearer of an invite: no rule decides anything about it. */
export function isInvited({ method }: Pick<Asker, 'method'>): boolean {
  return method === 'invite';
}

function isExchange(action: Action, target: string): boolean {
  return target === (action === 'publish' ? certificateTopics.request : certificateTopics.answer);
}

function isOwn(target: string): boolean {
  return target.startsWith('$') && /^\$moat(\/|$)/.test(parseSharedFilter(target)?.filter ?? target);
}
