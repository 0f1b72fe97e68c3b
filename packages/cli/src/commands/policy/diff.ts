import { type Change, compare, loadPolicy } from '@moat/broker';
import type { Command } from 'commander';
import { examples } from '../../help.js';
import { formatTable } from '../../output/table.js';

export function defineDiff(command: Command): void {
  command
    .summary('say who gains and who loses what between two policies')
    .description('Say who gains and who loses what between two policies, whatever their texts look like.')
    .option('--json', 'print JSON')
    .addHelpText('after', examples('moat policy diff policy.yaml new-policy.yaml'))
    .action(diff);
}

async function diff(before: string, after: string, { json }: { readonly json?: true }): Promise<void> {
  const [old, next] = await Promise.all([loadPolicy(before), loadPolicy(after)]);
  const comparison = compare(old, next);
  if (json) return console.log(JSON.stringify(comparison, undefined, 2));
  if (comparison.changes.length === 0) console.log('nobody gains or loses anything');
  else console.log(formatTable(['WHO', '', 'ACTION', 'WHAT'], comparison.changes.map(rowOf)));
  if (!comparison.complete) console.error('The policies are too large for a full comparison: there may be more.');
}

function rowOf({ who, kind, action, targets }: Change): string[] {
  return [who, kind, action, targets.join(', ')];
}
