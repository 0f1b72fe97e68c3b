import type { Command } from 'commander';
import { examples } from '../help.js';
import { defineCheckPolicy } from './policy/check.js';
import { defineDiff } from './policy/diff.js';
import { defineExplain } from './policy/explain.js';
import { defineShadow } from './policy/shadow.js';
import { defineTest } from './policy/test.js';
import { defineWho } from './policy/who.js';

export function definePolicy(command: Command): void {
  defineCheckPolicy(command.command('check [file]'));
  defineExplain(command.command('explain'));
  defineWho(command.command('who'));
  defineTest(command.command('test <file>'));
  defineDiff(command.command('diff <old> <new>'));
  defineShadow(command.command('shadow <file>'));
  command.addHelpText(
    'after',
    `
A FILE is a policy.yaml, or an access control list of Mosquitto.
${examples(
  'moat policy check policy.yaml',
  'moat policy explain --username pump-7 --action publish --topic devices/pump-8/cmd',
  'moat policy shadow new-policy.yaml',
)}`,
  );
}
