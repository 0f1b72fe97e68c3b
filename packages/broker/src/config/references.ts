import { open, readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Mistakes } from '../yaml/read-yaml.js';
import type { Path, YamlSource } from '../yaml/yaml-source.js';
import { certificateFiles, isTls, type Listener, tlsFiles } from './listener-schema.js';
import type { Configuration } from './schema.js';

/** Tries to open every file that `source` itself names, and reports those that cannot be read. */
export async function checkFiles(configuration: Configuration, source: YamlSource, mistakes: Mistakes): Promise<void> {
  const { authentication, authorization, listeners } = configuration;
  const named: [path: Path, file: string | undefined, isDirectory?: boolean][] = [
    [['authentication', 'password_file'], authentication.password_file],
    [['authorization', 'policy_file'], authorization.policy_file],
    [['authorization', 'acl_file'], authorization.acl_file],
  ];
  for (const [index, listener] of listeners.entries()) {
    if (!isTls(listener)) continue;
    for (const key of tlsFiles) named.push([['listeners', index, key], listener[key], key.endsWith('path')]);
    for (const [more, each] of listener.more_certificates.entries())
      for (const key of certificateFiles) named.push([['listeners', index, 'more_certificates', more, key], each[key]]);
  }
  for (const [path, file, isDirectory] of named) {
    if (file === undefined || !source.has(path)) continue;
    const problem = await unreadable(file, isDirectory);
    if (problem !== undefined) mistakes.add('config.unreadable', path, problem, 'moat init makes what is missing');
  }
}

/** Replaces every secret that is a reference by what it stands for. */
export async function resolveSecrets(
  configuration: Configuration,
  environment: NodeJS.ProcessEnv,
  mistakes: Mistakes,
): Promise<Configuration> {
  const resolvePassphrase = async <T extends { readonly keyfile_passphrase?: string | undefined }>(
    from: T,
    path: Path,
  ): Promise<T> => {
    if (from.keyfile_passphrase === undefined) return from;
    const secret = await readSecret(from.keyfile_passphrase, configuration.data_dir, environment);
    if ('value' in secret) return { ...from, keyfile_passphrase: secret.value };
    mistakes.add('config.missing_secret', [...path, 'keyfile_passphrase'], secret.problem, secret.hint);
    return from;
  };
  const resolveListener = async (listener: Listener, index: number): Promise<Listener> => {
    if (!isTls(listener)) return listener;
    const path = ['listeners', index];
    const more = listener.more_certificates.map((each, at) =>
      resolvePassphrase(each, [...path, 'more_certificates', at]),
    );
    return { ...(await resolvePassphrase(listener, path)), more_certificates: await Promise.all(more) };
  };
  return { ...configuration, listeners: await Promise.all(configuration.listeners.map(resolveListener)) };
}

type Secret = { readonly value: string } | { readonly problem: string; readonly hint: string };

/** `${NAME}` is a variable of the environment, `file:PATH` the content of a file less its last line break. */
async function readSecret(written: string, directory: string, environment: NodeJS.ProcessEnv): Promise<Secret> {
  const [, name] = /^\$\{(.*)\}$/s.exec(written) ?? [];
  if (name !== undefined) {
    const value = environment[name];
    if (value) return { value };
    return { problem: `the environment has no variable ${name}`, hint: 'set it before starting the broker' };
  }
  if (!written.startsWith('file:')) return { value: written };
  const file = resolve(directory, written.slice('file:'.length));
  try {
    const value = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
    return value === '' ? { problem: `${file} is empty`, hint: 'write the secret into it' } : { value };
  } catch (cause) {
    return { problem: whyUnreadable(file, cause), hint: 'a relative path starts at data_dir' };
  }
}

async function unreadable(file: string, isDirectory = false): Promise<string | undefined> {
  try {
    const handle = await open(file);
    try {
      if ((await handle.stat()).isDirectory() === isDirectory) return undefined;
      return isDirectory ? `${file} is a file, not a directory` : `${file} is a directory, not a file`;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    return whyUnreadable(file, cause);
  }
}

/** What the system said, in words. */
export function whyUnreadable(file: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const reasons: Record<string, string> = {
    ENOENT: 'does not exist',
    EACCES: 'may not be read by this user',
    EISDIR: 'is a directory, not a file',
    ENOTDIR: 'lies under something that is not a directory',
  };
  return `${file} ${reasons[code] ?? `cannot be read: ${code}`}`;
}
