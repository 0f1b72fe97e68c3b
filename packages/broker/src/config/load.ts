import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { OperatorError, OperatorErrors } from '../errors.js';
import { Mistakes, readYaml } from '../yaml/read-yaml.js';
import type { YamlSource } from '../yaml/yaml-source.js';
import { resolvePaths } from './paths.js';
import { checkFiles, resolveSecrets, whyUnreadable } from './references.js';
import { notePlaces } from './role-limits.js';
import { checkSafety } from './safety.js';
import { type Configuration, configurationSchema } from './schema.js';

const codes = {
  syntax: 'config.syntax',
  unknownKey: 'config.unknown_key',
  invalidValue: 'config.invalid_value',
} as const;

/**
 * Reads a configuration. Nothing that it refers to is opened: secrets are still references.
 * @param file where the text stands; relative paths in it start there
 * @throws OperatorErrors with every mistake in it
 */
export function parseConfiguration(text: string, file: string): Configuration {
  const { configuration, mistakes } = parse(text, file);
  mistakes.throwIfAny();
  return configuration;
}

/**
 * Reads the configuration in a file, with its secrets. Every file that it names in so many words must be readable;
 * those that it leaves to the defaults may still have to be made.
 * @param environment where `${NAME}` is looked up
 * @throws OperatorErrors with every mistake in it
 */
export async function loadConfiguration(
  file: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Configuration> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    const hint = 'name an existing file with -c, or leave it out to run with the defaults';
    const place = { file, line: 1, column: 1 };
    throw new OperatorErrors([
      new OperatorError('config.unreadable', whyUnreadable(file, cause), { place, hint, cause }),
    ]);
  });
  const { configuration, mistakes, source } = parse(text, file);
  await checkFiles(configuration, source, mistakes);
  const complete = await resolveSecrets(configuration, environment, mistakes);
  mistakes.throwIfAny();
  return complete;
}

function parse(text: string, file: string): { configuration: Configuration; mistakes: Mistakes; source: YamlSource } {
  const { value, source } = readYaml(text, file, configurationSchema, codes);
  const mistakes = new Mistakes(source);
  const configuration = resolvePaths(value, dirname(resolve(file)));
  checkSafety(configuration, mistakes);
  notePlaces(configuration, source);
  const acl = ['authorization', 'acl_file'];
  if (source.has(acl) && source.has(['authorization', 'policy_file']))
    mistakes.add('config.invalid_value', acl, 'acl_file beside policy_file', 'one of them says who may do what');
  return { configuration, mistakes, source };
}
