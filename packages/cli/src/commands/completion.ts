import { Argument, type Command } from 'commander';
import { bashScript } from '../completion/bash.js';
import { fishScript } from '../completion/fish.js';
import { nodesOf } from '../completion/tree.js';
import { zshScript } from '../completion/zsh.js';
import { examples } from '../help.js';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

export function defineCompletion(command: Command): void {
  command
    .addArgument(new Argument('<shell>', 'for which shell').choices(Object.keys(scripts)))
    .addHelpText(
      'after',
      examples(
        'source <(moat completion bash)',
        'moat completion zsh > ~/.zfunc/_moat',
        'moat completion fish > ~/.config/fish/completions/moat.fish',
      ),
    )
    .action((shell: keyof typeof scripts) => {
      process.stdout.write(scripts[shell](nodesOf(command.parent ?? command)));
    });
}
