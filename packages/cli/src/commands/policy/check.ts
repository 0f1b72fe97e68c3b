import { review, showFinding } from '@moat/broker';
import type { Command } from 'commander';
import { CommandError } from '../../failure.js';
import { examples } from '../../help.js';
import { addConfigurationOptions, type ConfigurationOptions } from '../../local-broker.js';
import { escapeControls } from '../../output/escape.js';
import { findPolicy } from './find.js';

interface CheckOptions extends ConfigurationOptions {
  readonly strict?: true;
  readonly json?: true;
}

export function defineCheckPolicy(command: Command): void {
  addConfigurationOptions(
    command
      .summary('find mistakes in a policy, and what is hardly meant')
      .description(
        'Find mistakes in a policy, and what is hardly meant: rules that can never apply, rules that a deny outweighs, and ' +
          'rules by which one device reaches into the topics of others.',
      ),
  )
    .option('--strict', 'fail if anything is found (exit code 1)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Mistakes are told as file:line:column, and make the exit code 2. FILE is by default the policy of the configuration.
${examples('moat policy check policy.yaml', 'moat policy check --strict -c /etc/moat/moat.yaml')}`,
    )
    .action(check);
}

async function check(file: string | undefined, { strict, json, ...options }: CheckOptions): Promise<void> {
  const policy = await findPolicy({ ...options, ...(file === undefined ? {} : { policy: file }) });
  const findings = review(policy);
  if (json) console.log(JSON.stringify(findings, undefined, 2));
  else if (findings.length === 0) console.log(`${count(policy.rules.length, 'rule')}, nothing to complain about`);
  else for (const finding of findings) console.log(escapeControls(showFinding(finding)));
  if (strict && findings.length > 0) throw new CommandError(1, `${count(findings.length, 'finding')}`);
}

function count(number: number, thing: string): string {
  return `${number} ${thing}${number === 1 ? '' : 's'}`;
}
