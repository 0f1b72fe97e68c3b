/** Of larger arrays the memory is not held here behind their owner's back; those that many pieces come from are smaller. */
const most = 262_144;
const none: Uint8Array = new Uint8Array(0);

/**
 * Makes views of pieces that follow one another in few arrays, such as the packets of a read. To ask an array for its memory is a
 * call into the runtime, and takes as long as making the view: here it is asked once for all pieces.
 */
export class Pieces {
  private bytes: Uint8Array = none;
  private memory: ArrayBufferLike = none.buffer;
  private offset = 0;

  /** The bytes `start` to `end` of an array, where they are. */
  of(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (bytes !== this.bytes) {
      if (bytes.length > most) return bytes.subarray(start, end);
      this.bytes = bytes;
      this.memory = bytes.buffer;
      this.offset = bytes.byteOffset;
    }
    return new Uint8Array(this.memory, this.offset + start, end - start);
  }
}

/** Makes views as {@link Pieces}, and the same one again for whoever asks for the same piece twice in a row. */
export class RepeatedPieces {
  private readonly pieces = new Pieces();
  private bytes: Uint8Array = none;
  private start = 0;
  private end = 0;
  private piece: Uint8Array = none;

  of(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (bytes.length > most) return bytes.subarray(start, end);
    if (bytes !== this.bytes || start !== this.start || end !== this.end) {
      this.bytes = bytes;
      this.start = start;
      this.end = end;
      this.piece = this.pieces.of(bytes, start, end);
    }
    return this.piece;
  }
}
