import type { Command, Option } from 'commander';

/** A command as the completion of a shell sees it. */
export interface Node {
  /** The words that lead to it: `device add`; empty for `moat` itself. */
  readonly path: string;
  readonly commands: readonly Word[];
  readonly options: readonly OptionWord[];
}

interface Word {
  readonly name: string;
  readonly description: string;
}

export interface OptionWord {
  /** Such as `-t` and `--topic`. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** The only values that it takes; empty when any will do. */
  readonly choices: readonly string[];
}

/** Every command of a tree, the root first. */
export function nodesOf(command: Command, words: readonly string[] = []): Node[] {
  const node = {
    path: words.join(' '),
    commands: command.commands.map((child) => ({ name: child.name(), description: child.summary() })),
    options: [
      ...command.options.map(toWord),
      { flags: ['--help'], description: 'display help', takesValue: false, choices: [] },
    ],
  };
  return [node, ...command.commands.flatMap((child) => nodesOf(child, [...words, child.name()]))];
}

function toWord(option: Option): OptionWord {
  const { short, long, description, required, optional, argChoices = [] } = option;
  const flags = [short, long].filter((flag) => flag !== undefined);
  return { flags, description, takesValue: required || optional, choices: argChoices };
}
