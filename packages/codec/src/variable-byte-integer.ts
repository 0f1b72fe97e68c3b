/** The largest value of a variable byte integer, and so of a remaining length (MQTT 5.0 §1.5.5). */
export const MAXIMUM_VARIABLE_BYTE_INTEGER = 268_435_455;

/** Bytes that a value from 0 to {@link MAXIMUM_VARIABLE_BYTE_INTEGER} takes, 1 to 4. */
export function variableByteIntegerLength(value: number): 1 | 2 | 3 | 4 {
  // [MQTT-1.5.5-1]
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x200000 ? 3 : 4;
}

/** Writes `value` in the least number of bytes; returns the offset behind it. */
export function writeVariableByteInteger(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let left = value;
  while (left > 0x7f) {
    target[at++] = 0x80 | (left & 0x7f);
    left >>>= 7;
  }
  target[at++] = left;
  return at;
}
