import { commandTable } from './command-table.js';
import { type ExitCode, report } from './failure.js';
import { buildProgram } from './program.js';

/** Runs the command of a process and sets its exit code. */
export async function run(args: readonly string[]): Promise<void> {
  // `moat sub | head`: the reader has what it wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  // A command that has told what it found may have set a code of its own.
  process.exitCode = (await main(args)) || process.exitCode;
}

/** Runs one command. Nothing is thrown: what fails is told on standard error. */
export async function main(args: readonly string[]): Promise<ExitCode> {
  try {
    // `moat help pub` is `moat pub --help`.
    const words = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
    // Completion speaks of all commands; for everything else one is enough.
    const needed = commandTable.filter(({ name }) => words[0] === 'completion' || name === words[0]);
    const program = await buildProgram(needed);
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (error) {
    return report(error, process.env, (text) => process.stderr.write(text));
  }
}
