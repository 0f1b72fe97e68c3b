import type { Command } from 'commander';
import { addConfigurationOptions } from './local-broker.js';

/** A command of a command that needs the configuration; `list` is what happens when none is named. */
export function subcommand(command: Command, usage: string, summary: string): Command {
  const description = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  const one = command
    .command(usage, { isDefault: usage === 'list' })
    .summary(summary)
    .description(description);
  return addConfigurationOptions(one);
}
