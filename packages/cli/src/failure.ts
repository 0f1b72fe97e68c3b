import { CommanderError } from 'commander';
import { escapeControls } from './output/escape.js';

/** 0 done; 1 the operation failed; 2 wrong usage or configuration; 3 could not reach or authenticate to a broker. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Why a command failed, in one line for a person. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  /** What to do about it. */
  readonly hint: string | undefined;
  /** Whether the command's own output has said it, so that only the exit code is left. */
  readonly isTold: boolean;

  constructor(
    exitCode: ExitCode,
    message: string,
    more: { hint?: string | undefined; cause?: unknown; isTold?: boolean } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.exitCode = exitCode;
    this.hint = more.hint;
    this.isTold = more.isTold ?? false;
  }
}

/** A command was called in a way that makes no sense. */
export function usageError(message: string): CommandError {
  return new CommandError(2, message);
}

/**
 * Tells a person what went wrong, in one line without a stack trace (`MOAT_DEBUG=1` adds it).
 * Errors of other packages carry their own exit code; what is unexpected is a 1.
 */
export function report(error: unknown, environment: NodeJS.ProcessEnv, write: (text: string) => void): ExitCode {
  // Commander has told already; it calls a wish for help an error, too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (!(error instanceof CommandError && error.isTold)) write(`${describe(error)}\n`);
  const { MOAT_DEBUG: debug } = environment;
  if (debug && error instanceof Error) write(`${error.stack}\n`);
  const { exitCode } = error as { exitCode?: unknown };
  return exitCode === 2 || exitCode === 3 ? exitCode : 1;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return `moat: ${escapeControls(String(error))}`;
  const { errors, place, hint } = error as { errors?: unknown; place?: unknown; hint?: string };
  // A mistake in a file begins with its place, so that editors can jump there.
  if (place) return escapeControls(String(error));
  if (Array.isArray(errors)) return errors.map(describe).join('\n');
  return escapeControls(`moat: ${error.message}${hint ? ` (${hint})` : ''}`);
}
