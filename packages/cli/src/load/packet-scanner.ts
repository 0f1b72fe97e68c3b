/**
 * The memory that all connections of one process read into, one after the other:
 *
 *     [ headroom | area ]
 *
 * Every read lands at the start of the area; what the read before left incomplete is put back right before it,
 * so that a packet always lies in one piece, and small packets are never copied.
 */
export class ReadMemory {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly area: Buffer;
  readonly headroom: number;

  /** `largestPacket` in bytes: what may be incomplete between two reads. */
  constructor(largestPacket: number, areaBytes = 65_536) {
    this.headroom = largestPacket;
    this.bytes = Buffer.alloc(largestPacket + areaBytes);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.length);
    this.area = this.bytes.subarray(largestPacket);
  }
}

/** One whole packet: its first byte, and where in the memory its variable header starts and the packet ends. */
export type OnPacket = (header: number, start: number, end: number) => void;

const nothing = Buffer.alloc(0);

/** Finds the packets in the bytes of one connection. Knows the fixed header and nothing else. */
export class PacketScanner {
  readonly #memory: ReadMemory;
  readonly #onPacket: OnPacket;
  #rest: Buffer = nothing;

  constructor(memory: ReadMemory, onPacket: OnPacket) {
    this.#memory = memory;
    this.#onPacket = onPacket;
  }

  /**
   * Reports every packet that is complete now that `length` bytes have been read into the area.
   *
   * @throws Error for a packet larger than the memory's headroom, or a length field of more than four bytes
   */
  scan(length: number): void {
    const { bytes, view, headroom } = this.#memory;
    const end = headroom + length;
    let at = headroom - this.#rest.length;
    this.#rest.copy(bytes, at);

    while (at < end) {
      let start = at + 1;
      let remaining = 0;
      let shift = 0;
      let byte = 0x80;
      while (byte >= 0x80 && start < end) {
        if (shift > 21) throw new Error('the broker sent a packet length of more than four bytes');
        byte = view.getUint8(start++);
        remaining |= (byte & 0x7f) << shift;
        shift += 7;
      }
      if (byte >= 0x80 || start + remaining > end) break;
      this.#onPacket(view.getUint8(at), start, start + remaining);
      at = start + remaining;
    }

    if (end - at > headroom) throw new Error(`the broker sent a packet larger than the ${headroom} bytes expected`);
    this.#rest = at === end ? nothing : Buffer.from(bytes.subarray(at, end));
  }
}
