import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Expectation, isMet, readExpectations } from '@moat/broker';
import type { Command } from 'commander';
import { CommandError } from '../../failure.js';
import { examples } from '../../help.js';
import { escapeControls } from '../../output/escape.js';
import { styleFor } from '../../output/style.js';
import { addPolicyOptions, findPolicy, type PolicyOptions } from './find.js';

interface TestOptions extends PolicyOptions {
  readonly json?: true;
}

export function defineTest(command: Command): void {
  addPolicyOptions(
    command
      .summary('see whether a policy does what is expected of it')
      .description('See whether a policy does what is expected of it: who is allowed and who is denied what.'),
  )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
FILE is YAML; policy is relative to it, and --policy wins:

  policy: policy.yaml
  tests:
    - name: a pump keeps to its own tree
      subject: { username: pump-7, clientid: "pump-7:a" }
      allow:
        - publish: devices/pump-7/temperature
      deny:
        - { publish: devices/pump-8/temperature, qos: 1 }
        - subscribe: "devices/#"

The exit code is 1 if anything is otherwise.
${examples('moat policy test expectations.yaml', 'moat policy test expectations.yaml --policy new.yaml')}`,
    )
    .action(test);
}

async function test(file: string, options: TestOptions): Promise<void> {
  const content = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new CommandError(2, `cannot read ${file}: ${cause.message}`, { cause });
  });
  const { policy: named, expectations } = readExpectations(content, file);
  const policy = await findPolicy(
    named === undefined || options.policy ? options : { policy: resolve(dirname(file), named) },
  );
  const failed = expectations.filter((expectation) => !isMet(policy, expectation));
  if (options.json) console.log(JSON.stringify({ passed: expectations.length - failed.length, failed }, undefined, 2));
  else {
    const style = styleFor(process.stdout);
    for (const expectation of failed) console.log(style('red', escapeControls(describe(expectation))));
    console.log(`${expectations.length - failed.length} as expected, ${failed.length} otherwise`);
  }
  if (failed.length > 0) throw new CommandError(1, 'the policy is not as expected', { isTold: true });
}

function describe({ name, place, request, allowed }: Expectation): string {
  const { action, target } = request;
  const outcome = allowed ? 'denied, and should be allowed' : 'allowed, and should be denied';
  return `${place.file}:${place.line}:${place.column}: ${name}: ${action} ${target} is ${outcome}`;
}
