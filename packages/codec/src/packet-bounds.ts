/** Where the variable header begins of the packet at `start`, whose fixed header is whole and was judged. */
export function variableHeaderOffset(bytes: Uint8Array, start: number): number {
  let at = start + 2;
  while ((bytes[at - 1] ?? 0) > 0x7f) at++;
  return at;
}

/** The offset behind the packet at `start`, of which the variable header begins at `body`: see {@link variableHeaderOffset}. */
export function packetEnd(bytes: Uint8Array, start: number, body: number): number {
  let length = 0;
  for (let at = body - 1; at > start; at--) length = (length << 7) | ((bytes[at] ?? 0) & 0x7f);
  return body + length;
}
