import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A program of the system, as Debian packages it under the same name. */
export function debianProgram(name: string): {
  readonly path: string;
  missing(): string | undefined;
  version(option: string, pattern: RegExp): string;
} {
  // Debian puts servers where only an administrator's PATH leads.
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin'];
  const path = directories.map((directory) => join(directory, name)).find(existsSync) ?? name;
  return {
    path,
    missing: () => (existsSync(path) ? undefined : `needs ${name} (apt-get install ${name})`),
    version(option, pattern) {
      const { stdout } = spawnSync(path, [option], { encoding: 'utf8' });
      return pattern.exec(stdout ?? '')?.[1] ?? '(not found)';
    },
  };
}
