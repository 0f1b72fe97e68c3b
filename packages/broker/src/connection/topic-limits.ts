import type { ClientLimits } from '../config/profiles.js';

type TopicLimits = Pick<ClientLimits, 'max_topic_length' | 'max_topic_levels'>;

/**
 * The limit that a topic name or filter is beyond; undefined when it is within both.
 * @param counted the levels of which count, where that is not the same: the filter in a shared one
 */
export function exceededBy(
  topic: string,
  { max_topic_length, max_topic_levels }: TopicLimits,
  counted = topic,
): keyof TopicLimits | undefined {
  if (isTooLong(topic, max_topic_length)) return 'max_topic_length';
  return hasMoreLevels(counted, max_topic_levels) ? 'max_topic_levels' : undefined;
}

/** Whether a string has more bytes in UTF-8 than allowed. */
function isTooLong(text: string, maximumBytes: number): boolean {
  return text.length * 3 > maximumBytes && Buffer.byteLength(text) > maximumBytes;
}

/** Whether a topic or filter has more levels than allowed. */
function hasMoreLevels(text: string, maximum: number): boolean {
  if (text.length < maximum) return false;
  let levels = 1;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) if (++levels > maximum) return true;
  return false;
}
