import { createInterface } from 'node:readline/promises';
import { escapeControls } from './escape.js';

/** Asks a question that is answered by yes or no; no where nobody can answer. */
export async function ask(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${escapeControls(question)} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
