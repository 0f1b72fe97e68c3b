/** Whether a string has more bytes in UTF-8 than allowed. */
export function isTooLong(text: string, maximumBytes: number): boolean {
  return text.length * 3 > maximumBytes && Buffer.byteLength(text) > maximumBytes;
}

/** Whether a topic or filter has more levels than allowed. */
export function hasMoreLevels(text: string, maximum: number): boolean {
  if (text.length < maximum) return false;
  let levels = 1;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) if (++levels > maximum) return true;
  return false;
}
