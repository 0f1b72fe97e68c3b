import type { WriteStream } from 'node:tty';

/** One line on a terminal that tells how far long work has come; nothing where nobody watches. */
export class Progress {
  private shown = 0;

  constructor(private readonly stream: Pick<WriteStream, 'write'> & { readonly isTTY?: boolean } = process.stderr) {}

  show(text: string): void {
    if (this.stream.isTTY !== true) return;
    this.stream.write(`\r${text.padEnd(this.shown)}`);
    this.shown = text.length;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.shown > 0) this.stream.write(`\r${' '.repeat(this.shown)}\r`);
    this.shown = 0;
  }
}
