import { type Host, thisHost } from '../doctor/host.js';

/** How the cache of the loader calls what Node.js calls `process.arch`. */
const kinds: Readonly<Record<string, string>> = { x64: 'x86-64', arm64: 'AArch64' };

/** Where the loader finds jemalloc for programs such as this; undefined where it is not installed. */
export async function findJemalloc(host: Pick<Host, 'run'> = thisHost()): Promise<string | undefined> {
  const cache = (await host.run('ldconfig', ['-p'])) ?? '';
  const [, path] =
    new RegExp(`^\\s*libjemalloc\\.so\\.2 \\(\\S*${kinds[process.arch]}\\S*\\) => (\\S+)$`, 'm').exec(cache) ?? [];
  return path;
}
