import type { Policy } from '@moat/broker';
import type { Command } from 'commander';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../../local-broker.js';

export interface PolicyOptions extends ConfigurationOptions {
  readonly policy?: string;
}

/** Which policy a command is about, for those that name none as their argument. */
export function addPolicyOptions(command: Command): Command {
  return addConfigurationOptions(command.option('--policy <file>', 'policy (default: the one of the configuration)'));
}

/**
 * The policy in a file, or the one that a broker would have here.
 *
 * @throws OperatorErrors with every mistake in it
 */
export async function findPolicy({ policy: file, ...options }: PolicyOptions): Promise<Policy> {
  const { loadPolicy, loadRules } = await import('@moat/broker');
  if (file !== undefined) return loadPolicy(file);
  const { configuration } = await findConfiguration(options);
  return loadRules(configuration.authorization);
}
