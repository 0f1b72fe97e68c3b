import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Configuration } from '@moat/broker';
import type { Command } from 'commander';

/** Where the configuration is, as options of a command say it. */
export interface ConfigurationOptions {
  readonly config?: string;
  readonly dataDir?: string;
}

/** A configuration and where it comes from. */
export interface Found {
  readonly configuration: Configuration;
  /** The file; undefined when there is none and the defaults hold. */
  readonly file: string | undefined;
}

export const defaultFile = 'moat.yaml';

export function addConfigurationOptions(command: Command): Command {
  return command
    .addOption(command.createOption('-c, --config <file>', 'configuration (default: ./moat.yaml if it is there)'))
    .addOption(command.createOption('--data-dir <dir>', 'data directory (default: ./moat-data)').conflicts('config'));
}

/**
 * Finds the configuration where `moat start` does: the file given, else `moat.yaml` in the data directory given, else
 * `./moat.yaml`, else the defaults.
 *
 * @throws OperatorErrors when a file is there and wrong
 */
export async function findConfiguration({ config, dataDir }: ConfigurationOptions): Promise<Found> {
  const { loadConfiguration, defaultConfiguration } = await import('@moat/broker');
  const file = config ?? (await ifThere(dataDir === undefined ? defaultFile : join(dataDir, defaultFile)));
  return { file, configuration: file === undefined ? defaultConfiguration(dataDir) : await loadConfiguration(file) };
}

async function ifThere(file: string): Promise<string | undefined> {
  return access(file).then(
    () => file,
    () => undefined,
  );
}
