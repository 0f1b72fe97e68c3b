import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs `body` in a directory of its own, which goes with it. */
export async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-store-'));
  try {
    await body(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}
