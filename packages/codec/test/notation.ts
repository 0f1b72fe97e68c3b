/**
 * Packets as a person would write them on paper.
 *
 * ```
 *  10 * 'MQTT' 04 02 003c 'client'     hex; * is the remaining length; 'text' is a string behind its two-byte length
 *  { 1f 'reason' }                     a group behind its length, as properties are
 *  "text"                              the text alone
 *  05x1000                             the byte 05 a thousand times
 * ```
 */
export function bytesOf(notation: string): Uint8Array {
  const tokens = notation.match(/'[^']*'|"[^"]*"|[0-9a-f]{2}x\d+|[{}*]|[0-9a-f]+/g) ?? [];
  const groups: number[][] = [[]];
  let first: number[] | undefined;
  for (const token of tokens) {
    const top = groups.at(-1) ?? [];
    if (token === '*') {
      first = top.splice(0);
    } else if (token === '{') {
      groups.push([]);
    } else if (token === '}') {
      groups.pop();
      groups.push([...(groups.pop() ?? []), ...lengthOf(top.length), ...top]);
    } else {
      append(top, token);
    }
  }
  const body = groups[0] ?? [];
  return Uint8Array.from(first === undefined ? body : [...first, ...lengthOf(body.length), ...body]);
}

function append(target: number[], token: string): void {
  const repeated = /^([0-9a-f]{2})x(\d+)$/.exec(token);
  if (token.startsWith("'") || token.startsWith('"')) {
    const text = new TextEncoder().encode(token.slice(1, -1));
    if (token.startsWith("'")) target.push(text.length >> 8, text.length & 0xff);
    for (const byte of text) target.push(byte);
  } else if (repeated !== null) {
    for (let left = Number(repeated[2]); left > 0; left--) target.push(Number.parseInt(repeated[1] ?? '', 16));
  } else {
    for (let at = 0; at < token.length; at += 2) target.push(Number.parseInt(token.slice(at, at + 2), 16));
  }
}

function lengthOf(size: number): number[] {
  const bytes: number[] = [];
  let left = size;
  for (; left > 0x7f; left >>= 7) bytes.push(0x80 | (left & 0x7f));
  return [...bytes, left];
}

/** Text to bytes. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
