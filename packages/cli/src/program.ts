import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { commandTable, type TableEntry } from './command-table.js';
import { examples } from './help.js';

/**
 * The tree of commands. Only those of `complete` get their options and actions, and only their modules are loaded:
 * the others are there by name, for the list in the help.
 */
export async function buildProgram(complete: readonly TableEntry[]): Promise<Command> {
  const program = new Command('moat')
    .description('An MQTT broker that is safe the moment it starts, and the tools to use it.')
    .version(readVersion(), '--version')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`moat: ${oneLine(text)}\n`) })
    .addHelpText('after', examples('moat start', "moat sub -u admin -v -t 'devices/#'", 'moat pub --help'));
  for (const entry of commandTable) {
    const command = program.command(entry.name).summary(entry.summary).description(sentence(entry.summary));
    command.helpCommand(false);
    if (complete.includes(entry)) (await entry.load())(command);
  }
  return program;
}

/** The version of this package. */
function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}

function oneLine(text: string): string {
  return text
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ');
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
