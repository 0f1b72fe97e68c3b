import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Notices when files change, or what is in directories: within a second, and only when two looks in a row found the
 * same, so that nobody reads a file that is still being written. It looks, rather than being told by the system, because
 * that works for what is mounted over a network, and where a name is moved to another file, as Kubernetes and certbot do.
 */
export class FileWatch {
  private timer: NodeJS.Timeout | undefined = undefined;
  private stopped = false;
  private acknowledged: string | undefined = undefined;
  private last = '';

  constructor(
    /** Which ones, asked before each look. */
    private readonly files: () => readonly string[],
    private readonly changed: () => Promise<void>,
    /** Milliseconds between two looks. */
    private readonly interval = 500,
  ) {}

  /** Takes what is there now as known. Whoever has read the files calls it before reading them. */
  async start(): Promise<void> {
    this.acknowledged = await this.look();
    this.last = this.acknowledged;
    this.lookLater();
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
    if (!isSettled || seen === this.acknowledged) return;
    this.acknowledged = seen;
    await this.changed();
  }

  private async look(): Promise<string> {
    const files = [...new Set(this.files())];
    return (await Promise.all(files.map((file) => signatureOf(file)))).join('\n');
  }
}

/** What changes with a file; of a directory, with any file in it. */
async function signatureOf(file: string, isInside = false): Promise<string> {
  try {
    const found = await stat(file);
    const own = `${file} ${found.ino} ${found.size} ${found.mtimeMs} ${found.ctimeMs}`;
    if (isInside || !found.isDirectory()) return own;
    const names = (await readdir(file)).sort();
    return [own, ...(await Promise.all(names.map((name) => signatureOf(join(file, name), true))))].join('\n');
  } catch {
    return `${file} is not there`;
  }
}
