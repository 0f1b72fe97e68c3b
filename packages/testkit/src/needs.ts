import { spawnSync } from 'node:child_process';
import { findLibrary, findProgram, python } from './programs.js';

/**
 * Options for a test that runs system programs: it is skipped, by name, where one is missing.
 * A Python module is written `python3:MODULE`, a shared library `lib:NAME`; `root` is the right to change the machine, such as by namespaces.
 *
 *     test('a stock client is served', needs('mosquitto_pub', 'python3:paho.mqtt.client'), async () => …)
 */
export function needs(...programs: readonly string[]): { readonly skip: string | false } {
  const missing = programs.filter((program) => !isThere(program));
  return { skip: missing.length > 0 && `needs ${missing.join(', ')}` };
}

const known = new Map<string, boolean>();

function isThere(program: string): boolean {
  if (program === 'root') return process.getuid?.() === 0;
  const before = known.get(program);
  if (before !== undefined) return before;
  const [kind, name = ''] = program.split(':');
  const found =
    kind === 'python3'
      ? canImport(name)
      : kind === 'lib'
        ? findLibrary(name) !== undefined
        : findProgram(program) !== undefined;
  known.set(program, found);
  return found;
}

function canImport(module: string): boolean {
  return spawnSync(python, ['-c', `import ${module}`], { stdio: 'ignore', timeout: 20_000 }).status === 0;
}
