import { requireTopicName } from '../topic.js';
import { writeUtf8 } from '../utf8.js';

const MOST = 4096;
const LONGEST = 128;

/** Topic names with their two-byte length, as in PUBLISH. Begun anew when full, so its memory is bounded. */
const cache = new Map<string, Uint8Array>();

/** A topic name encoded, length first. Throws {@link CodecError} 0x90 for a wildcard and 0x81 for what is not UTF-8. */
export function topicBytes(topic: string): Uint8Array {
  const known = cache.get(topic);
  if (known !== undefined) return known;
  requireTopicName(topic);
  const room = new Uint8Array(2 + 3 * topic.length);
  const end = writeUtf8(room, 2, topic); // [MQTT-3.3.2-1]
  room[0] = (end - 2) >> 8;
  room[1] = end - 2;
  const bytes = room.slice(0, end);
  if (topic.length <= LONGEST) {
    if (cache.size === MOST) cache.clear();
    cache.set(topic, bytes);
  }
  return bytes;
}
