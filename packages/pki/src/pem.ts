/**
 * The DER of everything in a PEM text with this label (RFC 7468 §2), in order. What stands between is passed over.
 * @throws Error if one is not base64
 */
export function pemBlocks(pem: string, label: string): Buffer[] {
  const blocks: Buffer[] = [];
  const [begin, end] = [`-----BEGIN ${label}-----`, `-----END ${label}-----`];
  for (let at = pem.indexOf(begin); at !== -1; at = pem.indexOf(begin, at)) {
    const from = at + begin.length;
    const to = pem.indexOf(end, from);
    const body = to === -1 ? '' : pem.slice(from, to).replace(/\s+/g, '');
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) throw new Error(`a damaged ${label}`);
    blocks.push(Buffer.from(body, 'base64'));
    at = to + end.length;
  }
  return blocks;
}
