import { configurationJsonSchema } from '@moat/broker';
import type { Command } from 'commander';
import { examples } from '../help.js';

export function defineConfig(command: Command): void {
  command.addHelpText('after', examples('moat config schema > moat.schema.json'));
  command
    .command('schema')
    .summary('print the JSON Schema of moat.yaml')
    .description('Print the JSON Schema of moat.yaml, with every key, its default and its meaning.')
    .addHelpText('after', examples('moat config schema > moat.schema.json'))
    .action(() => console.log(JSON.stringify(configurationJsonSchema(), undefined, 2)));
}
