import type { Node } from './tree.js';

/** The completion script for bash: files where no word of ours is due. */
export function bashScript(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options }) => {
    const values = options.filter(({ choices }) => choices.length > 0);
    const choices = values.map(({ flags, choices }) => `      ${flags.join('|')}) values="${choices.join(' ')}" ;;`);
    const others = options.filter(({ takesValue, choices }) => takesValue && choices.length === 0);
    const files = others.flatMap(({ flags }) => flags).join('|');
    return `    "${path}")
      words="${[...commands.map(({ name }) => name), ...options.flatMap(({ flags }) => flags)].join(' ')}"
      case "$previous" in
${[...choices, ...(files ? [`      ${files}) files=1 ;;`] : []), '      *) ;;'].join('\n')}
      esac
      ;;`;
  });
  const paths = nodes.filter(({ path }) => path !== '').map(({ path }) => `"${path}"`);
  return `# bash completion for moat: source <(moat completion bash)
_moat() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="" words="" values="" files="" index candidate
  for ((index = 1; index < COMP_CWORD; index++)); do
    candidate="\${path:+$path }\${COMP_WORDS[index]}"
    case "$candidate" in
      ${paths.join('|')}) path="$candidate" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=()
  if [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [ -z "$files" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o bashdefault -o default -F _moat moat
`;
}
