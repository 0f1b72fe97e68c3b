import type { Node, OptionWord } from './tree.js';

/** The completion script for zsh. */
export function zshScript(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const words = commands.map(({ name, description }) => `'${escaped(name)}:${escaped(description)}'`);
    return `    '${path}')
      commands=(${words.join(' ')})
      options=(${options.flatMap(specs).join(' ')})
      ;;`;
  });
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `'${path}'`);
  return `#compdef moat
# zsh completion for moat: moat completion zsh > ~/.zfunc/_moat, with ~/.zfunc in fpath
_moat() {
  local -a commands options
  local trail='' word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${trail:+$trail }$word" in
      ${paths.join('|')}) trail="\${trail:+$trail }$word" ;;
    esac
  done
  case "$trail" in
${cases.join('\n')}
  esac
  (( $#commands )) && _describe -t commands 'command' commands
  _arguments -s $options '*: :_files'
}
compdef _moat moat
`;
}

/** Short and long as one choice each: \`(-t --topic)-t[where to publish]:value:_files\`. */
function specs({ flags, description, takesValue, choices }: OptionWord): string[] {
  const values = choices.length > 0 ? `(${choices.join(' ')})` : '_files';
  const value = takesValue ? `:value:${values}` : '';
  return flags.map((flag) => `'${escaped(flag)}[${escaped(description)}]${value}'`);
}

/** Within single quotes and within the brackets of a description. */
function escaped(text: string): string {
  return text.replaceAll("'", `'\\''`).replaceAll(/[[\]:\\]/g, '\\$&');
}
