import { readFile } from 'node:fs/promises';
import { configurationJsonSchema, effectiveLimits } from '@moat/broker';
import type { Command } from 'commander';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { formatTable } from '../output/table.js';

interface ShowOptions extends ConfigurationOptions {
  readonly effective?: true;
  readonly json?: true;
}

export function defineConfig(command: Command): void {
  command.addHelpText('after', examples('moat config show --effective', 'moat config schema > moat.schema.json'));
  command
    .command('schema')
    .summary('print the JSON Schema of moat.yaml')
    .description('Print the JSON Schema of moat.yaml, with every key, its default and its meaning.')
    .addHelpText('after', examples('moat config schema > moat.schema.json'))
    .action(() => console.log(JSON.stringify(configurationJsonSchema(), undefined, 2)));
  const shown = command
    .command('show')
    .summary('show the limits that the configuration sets')
    .description('Show the limits that the configuration sets, each with the place where it is written.');
  addConfigurationOptions(shown)
    .option('--effective', 'every limit, those of the profile too')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat config show', 'moat config show --effective -c moat.yaml'))
    .action(show);
}

async function show(options: ShowOptions): Promise<void> {
  const { file } = await findConfiguration(options);
  const limits = effectiveLimits(file === undefined ? '' : await readFile(file, 'utf8'), file ?? 'the defaults');
  const shown = limits.filter(({ from }) => options.effective || !from.startsWith('profile '));
  if (options.json) return console.log(JSON.stringify(shown, undefined, 2));
  if (shown.length === 0) return console.log('every limit is that of the profile: moat config show --effective');
  const rows = shown.map(({ key, value, unit, from }) => [
    key,
    value === undefined ? 'none' : String(value),
    unit,
    from,
  ]);
  console.log(formatTable(['LIMIT', 'VALUE', 'UNIT', 'FROM'], rows));
}
