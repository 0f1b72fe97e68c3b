import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Does a change when it is its turn. */
type InTurn = (change: () => Promise<void>) => Promise<void>;

/**
 * Notices when files change, or what is in directories: within a second, and only when two looks in a row found the
 * same, so that nobody reads a file that is still being written. It looks, rather than being told by the system, because
 * that works for what is mounted over a network, and where a name is moved to another file, as Kubernetes and certbot do.
 */
export class FileWatch {
  private timer: NodeJS.Timeout | undefined = undefined;
  private stopped = false;
  /** What the files were when they were read last. */
  private known: string | undefined = undefined;
  private last = '';
  private readonly interval: number;
  private readonly inTurn: InTurn;

  constructor(
    /** Which ones, asked before each look. */
    private readonly files: () => readonly string[],
    private readonly changed: () => Promise<void>,
    /**
     * `interval` is milliseconds between two looks; `inTurn` does a change behind others that are under way, for which it
     * is none if one of them has read the same.
     */
    { interval = 500, inTurn = (change) => change() }: { readonly interval?: number; readonly inTurn?: InTurn } = {},
  ) {
    this.interval = interval;
    this.inTurn = inTurn;
  }

  /** Takes what is there now as known. Whoever has read the files calls it before reading them. */
  async start(): Promise<void> {
    this.last = await this.look();
    this.know(this.last);
    this.lookLater();
  }

  /** What is there now, among these files or others; to be given to {@link know} by whoever has read it. */
  async look(files = this.files()): Promise<string> {
    const seen: string[] = [];
    // One after the other: to ask for all at once takes half a millisecond in which no message moves.
    for (const file of new Set(files)) seen.push(await signatureOf(file));
    return seen.join('\n');
  }

  /** What was found by {@link look} has been read: it is no change. */
  know(seen: string): void {
    this.known = seen;
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private lookLater(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.lookAgain().finally(() => this.lookLater()), this.interval);
    this.timer.unref();
  }

  private async lookAgain(): Promise<void> {
    const seen = await this.look();
    const isSettled = seen === this.last;
    this.last = seen;
    if (!isSettled || seen === this.known) return;
    await this.inTurn(async () => {
      if (seen === this.known) return;
      this.know(seen);
      await this.changed();
    });
  }
}

/** What changes with a file; of a directory, with any file in it. */
async function signatureOf(file: string, isInside = false): Promise<string> {
  try {
    const found = await stat(file);
    const own = `${file} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
    if (isInside || !found.isDirectory()) return own;
    const all = [own];
    for (const name of (await readdir(file)).sort()) all.push(await signatureOf(join(file, name), true));
    return all.join('\n');
  } catch {
    return `${file} is not there`;
  }
}
