/** CRC-32C by long division over the bits, to compare with. */
export function crc32c(bytes: Uint8Array): number {
  const bits = [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, index) => (byte >> index) & 1));
  const register = new Array<number>(32).fill(1);
  const polynomial = Array.from({ length: 32 }, (_, index) => (0x1edc6f41 >>> (31 - index)) & 1);
  for (const bit of bits) {
    const out = (register.shift() ?? 0) ^ bit;
    register.push(0);
    if (out === 1) for (const [index, one] of polynomial.entries()) register[index] = (register[index] ?? 0) ^ one;
  }
  // Reflected and inverted at the end.
  return register.reduce((sum, bit, index) => sum + (bit ^ 1) * 2 ** index, 0);
}
