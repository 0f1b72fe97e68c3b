import { InvalidError } from './errors.js';

/**
 * Whether a topic name matches a topic filter (MQTT 5.0 §4.7); `$share/group/` in front of the filter is skipped.
 */
export function topicMatches(filter: string, topic: string): boolean {
  const levels = withoutShare(filter).split('/');
  const names = topic.split('/');
  // A wildcard in front does not match topics that begin with $ [MQTT-4.7.2-1].
  if (topic.startsWith('$') && (levels[0] === '#' || levels[0] === '+')) return false;
  for (const [index, level] of levels.entries()) {
    if (level === '#') return true;
    if (index >= names.length || (level !== '+' && level !== names[index])) return false;
    // `a/#` matches its parent `a` as well [MQTT-4.7.1-2].
    if (index === names.length - 1 && levels[index + 1] === '#') return true;
  }
  return levels.length === names.length;
}

function withoutShare(filter: string): string {
  const [, inner] = /^\$share\/[^/]+\/(.*)$/s.exec(filter) ?? [];
  return inner ?? filter;
}

/**
 * Refuses a topic name that no broker may accept (MQTT 5.0 §4.7.3), before it costs the connection.
 *
 * @throws InvalidError
 */
export function assertTopicName(topic: string): void {
  if (topic === '') throw new InvalidError('a topic must not be empty');
  if (/[+#]/.test(topic)) throw new InvalidError(`a topic to publish to must not contain + or #: ${topic}`);
  assertTopicText(topic);
}

/**
 * Refuses a malformed topic filter (MQTT 5.0 §4.7.1).
 *
 * @throws InvalidError
 */
export function assertTopicFilter(filter: string): void {
  const levels = withoutShare(filter).split('/');
  const valid = levels.every(
    (level, index) => !/[+#]/.test(level) || level === '+' || (level === '#' && index === levels.length - 1),
  );
  if (filter === '' || !valid) {
    throw new InvalidError(`not a topic filter: "${filter}"; + and # stand for whole levels, # only for the last`);
  }
  assertTopicText(filter);
}

function assertTopicText(text: string): void {
  if (text.includes('\0') || /\p{Surrogate}/u.test(text))
    throw new InvalidError('a topic must be well-formed text without U+0000');
  if (Buffer.byteLength(text) > 65_535) throw new InvalidError('a topic must not be longer than 65535 bytes');
}
