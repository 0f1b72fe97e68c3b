import { closeSync, existsSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A file system larger than this is nobody's to be filled, in bytes. */
const largest = 256 * 1_048_576;
/** From large to small, so that nothing is left. */
const pieces = [1_048_576, 4_096, 1];

/** Fills the file system of a directory to its last byte, and frees it again. */
export class FullDisk {
  private readonly file: string;

  /** @throws Error when the directory is missing, or not on a small file system that was made for this */
  constructor(directory: string) {
    if (!existsSync(directory)) throw new Error(`${directory} is missing; mount a small file system there`);
    const { blocks, bsize } = statfsSync(directory);
    if (blocks * bsize > largest)
      throw new Error(
        `${directory} is on a file system of more than ${largest / 1_048_576} MiB; mount a small one there`,
      );
    this.file = join(directory, 'filler');
  }

  fill(): void {
    const descriptor = openSync(this.file, 'a');
    for (const size of pieces) {
      const piece = Buffer.alloc(size);
      try {
        for (;;) writeSync(descriptor, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
    closeSync(descriptor);
  }

  free(): void {
    rmSync(this.file, { force: true });
  }
}
