import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** A directory of its own for a test file, removed when its tests are over. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-cli-'));
  after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
