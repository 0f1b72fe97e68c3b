// docs/reference/commands.md, from what every command says of itself.

import { commandTable } from '../../packages/cli/dist/command-table.js';
import { buildProgram } from '../../packages/cli/dist/program.js';

export async function commandsPage() {
  const program = await buildProgram(commandTable);
  const sections = [...helpOf(program, 'moat')];
  return `# Commands

Generated from \`moat --help\`. Exit codes: 0 done; 1 the operation failed; 2 wrong usage or configuration; 3 a broker
could not be reached, or did not let us in.

${sections.join('\n')}`;
}

function* helpOf(command, path) {
  yield `## ${path}\n\n\`\`\`\n${textOf(command)}\`\`\`\n`;
  for (const child of command.commands) {
    if (child.name() !== 'help') yield* helpOf(child, `${path} ${child.name()}`);
  }
}

/** The help with its examples, as a terminal of 100 columns shows it. */
function textOf(command) {
  let text = '';
  command.configureOutput({
    writeOut: (part) => (text += part),
    getOutHelpWidth: () => 100,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text;
}
