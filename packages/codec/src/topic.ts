import { CodecError } from './error.js';
import { ReasonCode } from './reason-code.js';

const SHARE = '$share/';

/** A shared subscription taken apart: `$share/{shareName}/{filter}` (MQTT 5.0 §4.8.2). */
export interface SharedFilter {
  shareName: string;
  filter: string;
}

/** Whether a topic name may be published to: not empty, no wildcard. UTF-8 and length are judged by the parser. */
export function isValidTopicName(topic: string): boolean {
  // [MQTT-4.7.3-1] [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT3-4.7.3-1] [MQTT3-3.3.2-2] [MQTT3-4.7.1-1]
  return topic.length > 0 && !topic.includes('+') && !topic.includes('#');
}

/** Throws {@link CodecError} 0x90 unless {@link isValidTopicName}. */
export function requireTopicName(topic: string): void {
  if (isValidTopicName(topic)) return;
  throw new CodecError(
    ReasonCode.topicNameInvalid,
    topic === '' ? 'An empty topic name' : 'A topic name with a wildcard',
    topic === '' ? 'MQTT-4.7.3-1' : 'MQTT-3.3.2-2',
  );
}

/** Whether `filter` is in the form of a shared subscription; it may still be an invalid one. */
export function isSharedFilter(filter: string): boolean {
  return filter.startsWith(SHARE) || filter === '$share';
}

/** The share name and the inner filter, or undefined when `filter` is no shared subscription or an invalid one. */
export function parseSharedFilter(filter: string): SharedFilter | undefined {
  // [MQTT-4.8.2-1] [MQTT-4.8.2-2]
  if (!filter.startsWith(SHARE)) return undefined;
  const slash = filter.indexOf('/', SHARE.length);
  if (slash === -1) return undefined;
  const shareName = filter.slice(SHARE.length, slash);
  const inner = filter.slice(slash + 1);
  return isValidTopicName(shareName) && hasValidWildcards(inner) ? { shareName, filter: inner } : undefined;
}

/**
 * Whether a topic filter may be subscribed to: not empty, `#` only as the last level, `+` and `#` alone in their
 * level, and a shared subscription well-formed.
 */
export function isValidTopicFilter(filter: string): boolean {
  return isSharedFilter(filter) ? parseSharedFilter(filter) !== undefined : hasValidWildcards(filter);
}

/**
 * Throws {@link CodecError} unless {@link isValidTopicFilter}: 0x81 for an empty one and misplaced wildcards, 0x82 for a
 * shared subscription without a proper name or filter. 0x8f is for filters that are well-formed but not accepted.
 */
export function requireTopicFilter(filter: string): void {
  if (!hasValidWildcards(filter)) {
    throw new CodecError(
      ReasonCode.malformedPacket,
      filter === '' ? 'An empty topic filter' : 'A topic filter with a misplaced wildcard',
      filter === '' ? 'MQTT-4.7.3-1' : 'MQTT-4.7.1-1',
    );
  }
  if (isValidTopicFilter(filter)) return;
  throw new CodecError(ReasonCode.protocolError, 'A shared subscription without a name or filter', 'MQTT-4.8.2-1');
}

function hasValidWildcards(filter: string): boolean {
  if (filter === '') return false; // [MQTT-4.7.3-1] [MQTT3-4.7.3-1]
  if (!filter.includes('+') && !filter.includes('#')) return true;
  for (let at = 0; at < filter.length; at++) {
    const unit = filter.charCodeAt(at);
    if (unit !== 0x23 && unit !== 0x2b) continue;
    if (at > 0 && filter.charCodeAt(at - 1) !== 0x2f) return false;
    if (unit === 0x23) return at === filter.length - 1; // [MQTT-4.7.1-1] [MQTT3-4.7.1-2]
    if (at + 1 < filter.length && filter.charCodeAt(at + 1) !== 0x2f) return false; // [MQTT-4.7.1-2] [MQTT3-4.7.1-3]
  }
  return true;
}
