import type { Node, OptionWord } from './tree.js';

/** The completion script for fish. */
export function fishScript(nodes: readonly Node[]): string {
  return `# fish completion for moat: moat completion fish | source
${nodes.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, commands, options }: Node): string[] {
  const names = commands.map(({ name }) => name).join(' ');
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const here = path === '' ? '__fish_use_subcommand' : seen.join('; and ');
  const still = path === '' || names === '' ? here : `${here}; and not __fish_seen_subcommand_from ${names}`;
  return [
    ...commands.map(
      ({ name, description }) => `complete -c moat -f -n '${still}' -a '${name}' -d '${escaped(description)}'`,
    ),
    ...options.map((option) => `complete -c moat -n '${here}' ${optionPart(option)}`),
  ];
}

function optionPart({ flags, description, takesValue, choices }: OptionWord): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const value = choices.length > 0 ? ` -x -a '${choices.join(' ')}'` : takesValue ? ' -r' : '';
  return `${names.join(' ')}${value} -d '${escaped(description)}'`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
