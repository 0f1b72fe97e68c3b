/** What of a retained message can be told without its payload. */
export interface StoredSummary {
  readonly topic: string;
  readonly owner: string | undefined;
  readonly payloadLength: number;
  /** Infinity when it does not expire. */
  readonly expiresAt: number;
  readonly hasProperties: boolean;
}

/**
 * Reads a retained message (`StoredRetained` in MessagePack) without making anything of its payload.
 *
 * ```
 *   array of 7 ─ topic ─ payload (skipped) ─ flags ─ expiresAt ─ publisher (skipped) ─ owner ─ properties or none
 * ```
 *
 * Throws RangeError for bytes that are something else.
 */
export function summaryOf(bytes: Buffer, size: number): StoredSummary {
  const reader = new Reader(bytes);
  reader.expect(arrayOfSeven);
  const topic = reader.text();
  const payloadLength = reader.skip();
  reader.number(); // flags
  const expiry = reader.number();
  if (!reader.skipNone()) reader.skip();
  const owner = reader.skipNone() ? undefined : reader.text();
  const hasProperties = !reader.skipNone();
  if (!hasProperties && reader.at !== size) throw new RangeError('a stored message that goes on behind its end');
  return { topic, owner, payloadLength, expiresAt: expiry === 0 ? Number.POSITIVE_INFINITY : expiry, hasProperties };
}

const arrayOfSeven = 0x97;

/** The few types of MessagePack that a stored message has outside of its properties. */
class Reader {
  at = 0;

  constructor(private readonly bytes: Buffer) {}

  expect(type: number): void {
    if (this.bytes[this.at++] !== type) throw strange();
  }

  text(): string {
    const length = this.length();
    return this.bytes.toString('utf8', this.at, this.pass(length) + length);
  }

  /** Passes over text or bytes; returns how many bytes these are. */
  skip(): number {
    const length = this.length();
    this.pass(length);
    return length;
  }

  number(): number {
    const { bytes } = this;
    const type = bytes[this.at++] ?? 0xff;
    if (type <= 0x7f) return type;
    switch (type) {
      case 0xcc:
        return bytes.readUInt8(this.pass(1));
      case 0xcd:
        return bytes.readUInt16BE(this.pass(2));
      case 0xce:
        return bytes.readUInt32BE(this.pass(4));
      case 0xca:
        return bytes.readFloatBE(this.pass(4));
      case 0xcb:
        return bytes.readDoubleBE(this.pass(8));
      case 0xcf:
        return Number(bytes.readBigUInt64BE(this.pass(8)));
      default:
        throw strange();
    }
  }

  /** Passes over what stands for undefined; false when something else is there. */
  skipNone(): boolean {
    const { bytes, at } = this;
    if (bytes[at] === 0xc0) this.at++;
    else if (bytes[at] === 0xd4 && bytes[at + 1] === 0 && bytes[at + 2] === 0) this.at += 3;
    else return false;
    return true;
  }

  /** Of the text or the bytes that follow. */
  private length(): number {
    const { bytes } = this;
    const type = bytes[this.at++] ?? 0;
    if (type >= 0xa0 && type <= 0xbf) return type & 0x1f;
    switch (type) {
      case 0xc4:
      case 0xd9:
        return bytes.readUInt8(this.pass(1));
      case 0xc5:
      case 0xda:
        return bytes.readUInt16BE(this.pass(2));
      case 0xc6:
      case 0xdb:
        return bytes.readUInt32BE(this.pass(4));
      default:
        throw strange();
    }
  }

  private pass(count: number): number {
    const { at } = this;
    this.at += count;
    return at;
  }
}

function strange(): RangeError {
  return new RangeError('bytes that are no stored message');
}
