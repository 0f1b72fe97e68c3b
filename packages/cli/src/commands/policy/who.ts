import { type Action, type Holder, whoMay } from '@moat/broker';
import type { Command } from 'commander';
import { examples } from '../../help.js';
import { formatTable } from '../../output/table.js';
import { addPolicyOptions, findPolicy, type PolicyOptions } from './find.js';

const topicActions = ['publish', 'receive', 'subscribe'] as const;

interface WhoOptions extends PolicyOptions {
  readonly topic: string;
  readonly action?: Exclude<Action, 'connect'>;
  readonly json?: true;
}

export function defineWho(command: Command): void {
  addPolicyOptions(
    command
      .summary('list everybody who can publish or receive a topic')
      .description('List everybody who can publish or receive a topic, by the rules that allow it.'),
  )
    .requiredOption('-t, --topic <topic>', 'topic name')
    .addOption(
      command.createOption('-a, --action <action>', 'only this (default: publish and receive)').choices(topicActions),
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples('moat policy who --topic devices/pump-7/cmd', 'moat policy who -t alarms/fire -a publish --json'),
    )
    .action(who);
}

async function who(options: WhoOptions): Promise<void> {
  const policy = await findPolicy(options);
  const asked = options.action === undefined ? (['publish', 'receive'] as const) : [options.action];
  const holders = asked.flatMap((action) => whoMay(policy, action, options.topic));
  if (options.json) return console.log(JSON.stringify(holders, undefined, 2));
  if (holders.length === 0) return console.log('nobody');
  console.log(formatTable(['ACTION', 'WHO', 'RULE', 'BUT'], holders.map(rowOf)));
}

function rowOf({ action, who, rule, conditions, except }: Holder): string[] {
  const but = [...conditions.map((condition) => `only ${condition}`), ...except.map((denied) => `not ${denied}`)];
  return [action, who, rule, but.join('; ')];
}
