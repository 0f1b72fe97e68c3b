import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A new directory, 0700, that is gone when the test is over. */
export async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'moat-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
