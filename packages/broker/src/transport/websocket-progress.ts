/** Bytes that a piece of a message costs besides itself: the objects that hold it. */
const perPiece = 256;

/**
 * Follows the frames of a WebSocket (RFC 6455 §5.2) without keeping them, to know what is kept elsewhere of a message
 * that is not whole yet. A piece of it may hold on to all of the read that brought it, so reads count whole.
 */
export class WebSocketProgress {
  /** Bytes that the message under way has cost so far; 0 between two messages. */
  unfinished = 0;
  /** Of the frame under way: bytes of its header that have come, how many there are, and what they have said. */
  private seen = 0;
  private headerSize = 2;
  private lengthEnds = 2;
  private first = 0;
  private length = 0;
  private payloadLeft = 0;
  /** A message has begun whose last frame has yet to come. */
  private open = false;
  private ended = false;
  private frames = 0;

  /** What one read has brought. */
  feed(read: Uint8Array): void {
    this.ended = false;
    this.frames = 0;
    for (let at = 0; at < read.length; ) {
      if (this.seen < this.headerSize) this.header(read[at++] ?? 0);
      else {
        const step = Math.min(this.payloadLeft, read.length - at);
        this.payloadLeft -= step;
        at += step;
      }
      if (this.seen === this.headerSize && this.payloadLeft === 0) this.endFrame();
    }
    const isWhole = !this.open && this.seen === 0;
    const before = this.ended ? 0 : this.unfinished;
    this.unfinished = isWhole ? 0 : before + read.length + (this.frames + 1) * perPiece;
  }

  private header(byte: number): void {
    const index = this.seen++;
    if (index === 0) this.first = byte;
    else if (index === 1) {
      const short = byte & 0x7f;
      const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
      this.headerSize = 2 + extended + (byte > 0x7f ? 4 : 0);
      this.length = extended === 0 ? short : 0;
      this.lengthEnds = 2 + extended;
    } else if (index < this.lengthEnds) this.length = this.length * 256 + byte;
    if (this.seen === this.headerSize && index > 0) this.payloadLeft = this.length;
  }

  private endFrame(): void {
    this.seen = 0;
    this.headerSize = 2;
    this.frames++;
    const isControl = (this.first & 0x08) !== 0;
    if (isControl) return;
    this.open = this.first < 0x80;
    if (!this.open) this.ended = true;
  }
}
