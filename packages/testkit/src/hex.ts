/** Bytes written as hexadecimal; white space is for the reader. */
export function fromHex(hex: string): Buffer {
  const digits = hex.replace(/\s+/g, '');
  if (!/^(?:[0-9a-f]{2})*$/i.test(digits)) throw new TypeError(`not hexadecimal: ${hex}`);
  return Buffer.from(digits, 'hex');
}

/** A dump for a message: 16 bytes a row, with their offset and what of them is printable ASCII. */
export function dump(bytes: Uint8Array): string {
  if (bytes.length === 0) return '  (nothing)';
  const rows: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += 16) {
    const row = [...bytes.subarray(offset, offset + 16)];
    const digits = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const ascii = row.map((byte) => (byte > 0x1f && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    rows.push(`  ${offset.toString(16).padStart(4, '0')}  ${digits.padEnd(47)}  ${ascii}`);
  }
  return rows.join('\n');
}
