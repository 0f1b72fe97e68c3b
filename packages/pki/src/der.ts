/** Tags of the elements that X.509 is made of (X.680 §8.6): class and form included. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  visibleString: 0x1a,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** What is not the DER that was expected. */
export class DerError extends Error {
  override readonly name = 'DerError';
}

/**
 * Walks elements of DER (X.690 §10) one after another, and makes nothing of what it passes: a list of a hundred
 * thousand entries costs no more than its bytes. Whatever is not DER of definite, minimal length is a {@link DerError}.
 *
 * After {@link next}, `start` to `end` is the content of that element and `first` where its tag stands.
 */
export class DerCursor {
  first = 0;
  start = 0;
  end = 0;

  constructor(
    readonly bytes: Buffer,
    private position = 0,
    private limit = bytes.length,
  ) {}

  get done(): boolean {
    return this.position >= this.limit;
  }

  /** The tag of what comes next; -1 at the end. */
  get peek(): number {
    return this.done ? -1 : this.bytes.readUInt8(this.position);
  }

  /** Goes on to the next element; of this tag, if one is given. */
  next(tag?: number): this {
    const found = this.peek;
    if (found === -1) throw new DerError('it ends too early');
    if (tag !== undefined && found !== tag)
      throw new DerError(`tag 0x${found.toString(16)} in place of 0x${tag.toString(16)}`);
    if ((found & 0x1f) === 0x1f) throw new DerError('a tag of several octets');
    this.first = this.position;
    this.start = this.position + 2;
    const length = this.length();
    this.end = this.start + length;
    if (this.end > this.limit) throw new DerError('an element is longer than what holds it');
    this.position = this.end;
    return this;
  }

  /** Goes on to the next element if it has this tag. */
  optional(tag: number): this | undefined {
    return this.peek === tag ? this.next(tag) : undefined;
  }

  /** A cursor of its own for what is inside the element that {@link next} reached. */
  inside(): DerCursor {
    return new DerCursor(this.bytes, this.start, this.end);
  }

  /** Reads from here on what is inside the element that `other` reached: spares making a cursor. */
  enter(other: DerCursor): this {
    this.position = other.start;
    this.limit = other.end;
    return this;
  }

  /** The content of the element, a view. */
  get content(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }

  /** The element with its tag and length, a view. */
  get whole(): Buffer {
    return this.bytes.subarray(this.first, this.end);
  }

  private length(): number {
    const first = this.bytes[this.position + 1];
    if (first === undefined || this.position + 1 >= this.limit) throw new DerError('it ends too early');
    if (first < 0x80) return first;
    const octets = first & 0x7f;
    if (octets === 0 || octets > 4) throw new DerError('an indefinite or absurd length');
    this.start += octets;
    if (this.start > this.limit) throw new DerError('it ends too early');
    const length = this.bytes.readUIntBE(this.position + 2, octets);
    if (length < 0x80 || length < 2 ** (8 * (octets - 1))) throw new DerError('a length that is not minimal');
    return length;
  }
}

/** The element of an object identifier as dotted numbers (X.690 §8.19). */
export function objectIdentifier({ content }: DerCursor): string {
  const numbers: number[] = [];
  let value = 0;
  let begun = false;
  for (const octet of content) {
    if (!begun && octet === 0x80) throw new DerError('an object identifier that is not minimal');
    value = value * 128 + (octet & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER) throw new DerError('an absurd object identifier');
    begun = octet >= 0x80;
    if (begun) continue;
    numbers.push(value);
    value = 0;
  }
  const [head, ...rest] = numbers;
  if (head === undefined || begun) throw new DerError('an object identifier that is cut off');
  const root = Math.min(Math.floor(head / 40), 2);
  return [root, head - 40 * root, ...rest].join('.');
}

/** A BOOLEAN (X.690 §11.1). As OpenSSL reads it: what BER takes for true is not passed over as false. */
export function isTrue({ content }: DerCursor): boolean {
  return content.some((octet) => octet !== 0);
}

/** A serial number in lower-case hexadecimal, as OpenSSL and Node.js write it but for the case. */
export function serialNumber({ content }: DerCursor): string {
  if (content.length === 0) throw new DerError('an empty integer');
  const hex = content.toString('hex').replace(/^(00)+(?=.)/, '');
  return hex;
}

/** Milliseconds since 1970 of a Time (RFC 5280 §4.1.2.5): UTCTime or GeneralizedTime, in seconds and UTC. */
export function time(cursor: DerCursor): number {
  const short = cursor.peek === Tag.utcTime;
  cursor.next(short ? Tag.utcTime : Tag.generalizedTime);
  const text = cursor.content.toString('latin1');
  const [, year = '', ...fields] = (short ? utcTime : generalizedTime).exec(text) ?? [];
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields.map(Number);
  const century = !short ? '' : Number(year) < 50 ? '20' : '19';
  const value = Date.UTC(Number(century + year), month - 1, day, hour, minute, second);
  // What there is not, such as the 31st of June, would become another day.
  const digits = Number.isNaN(value) ? '' : new Date(value).toISOString().replace(/\D/g, '');
  if (digits !== `${century}${text.slice(0, -1)}000`) throw new DerError('a time that is none');
  return value;
}

const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of a string element, with all that is in it; undefined if it is of another type, or not of its encoding. */
export function text(tag: number, content: Buffer): string | undefined {
  switch (tag) {
    case Tag.utf8String:
      try {
        return utf8.decode(content);
      } catch {
        return undefined;
      }
    case Tag.printableString:
    case Tag.ia5String:
    case Tag.visibleString:
      return content.every((octet) => octet < 0x80) ? content.toString('latin1') : undefined;
    case Tag.teletexString:
      return content.toString('latin1');
    case Tag.bmpString:
      return content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : undefined;
    default:
      return undefined;
  }
}
