import {
  type Action,
  actions,
  type Explanation,
  explain,
  minutesOf,
  type Request,
  type SealKind,
  sealKinds,
} from '@moat/broker';
import { type Command, InvalidArgumentError } from 'commander';
import { CommandError, usageError } from '../../failure.js';
import { examples } from '../../help.js';
import { escapeControlsInLines } from '../../output/escape.js';
import { type Style, styleFor } from '../../output/style.js';
import { integer } from '../../parse-argument.js';
import { addPolicyOptions, findPolicy, type PolicyOptions } from './find.js';
import { addSubjectOptions, type SubjectOptions, subjectOf } from './subject.js';

interface ExplainOptions extends PolicyOptions, SubjectOptions {
  readonly action: Action;
  readonly topic?: string;
  readonly qos: number;
  readonly retain?: true;
  readonly payload?: number;
  readonly sealed?: SealKind;
  readonly at?: number;
  readonly json?: true;
}

export function defineExplain(command: Command): void {
  addSubjectOptions(
    addPolicyOptions(
      command
        .summary('say whether something is allowed, by which rule, and what would change that')
        .description(
          'Say whether a client may do something, by which rule at which line, and what would have been needed.',
        ),
    ),
  )
    .addOption(
      command.createOption('-a, --action <action>', 'what it wants to do').choices(actions).makeOptionMandatory(),
    )
    .option('-t, --topic <topic>', 'topic, or filter to subscribe to; not for connect, which is about the client ID')
    .option('-q, --qos <n>', 'of what it publishes or subscribes to', integer(0, 2), 0)
    .option('-r, --retain', 'it publishes a retained message')
    .option('--payload <bytes>', 'size of what it publishes (default: not known)', integer(0, 268_435_460))
    .addOption(command.createOption('--sealed <kind>', 'how that is protected (default: not known)').choices(sealKinds))
    .option('--at <time>', 'time of day, in the time zone of the policy (default: now)', timeOfDay)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The exit code is 0 for allowed and 1 for denied.
${examples(
  'moat policy explain -u pump-7 -a publish -t devices/pump-7/temperature',
  "moat policy explain -u alice --group operators -a subscribe -t 'devices/#'",
  'moat policy explain --cert san_uri=urn:device:7 -a connect -i pump-7 --policy new.yaml',
)}`,
    )
    .action(run);
}

async function run(options: ExplainOptions): Promise<void> {
  const subject = subjectOf(options);
  const policy = await findPolicy(options);
  const now = options.at === undefined ? Date.now() : policy.momentAt(options.at);
  const request = requestOf(options, subject.clientId);
  const explanation = explain(policy, subject, request, now);
  if (options.json) console.log(JSON.stringify(explanation, undefined, 2));
  else console.log(escapeControlsInLines(formatExplanation(request, explanation, styleFor(process.stdout))));
  if (!explanation.allowed) throw new CommandError(1, 'denied', { isTold: true });
}

function requestOf({ action, topic, qos, retain, payload, sealed }: ExplainOptions, clientId: string): Request {
  const target = action === 'connect' ? clientId : topic;
  if (target === undefined) throw usageError(`${action} needs --topic`);
  if (action === 'connect' && topic !== undefined) throw usageError('connect is about the client ID: --client-id');
  return { action, target, circumstances: { qos, retain: retain ?? false, payloadSize: payload, sealed } };
}

function formatExplanation({ action, target }: Request, explanation: Explanation, style: Style): string {
  const { allowed, rule, says, notes, near } = explanation;
  const answer = allowed ? style('green', 'allowed') : style('red', 'denied');
  const by =
    says === undefined ? `by ${rule === 'default' ? 'default: no rule speaks of it' : rule}` : `by ${rule}: ${says}`;
  const lines = [`${answer}: ${action} ${target}, ${by}`, ...notes.map((note) => `  ${note}`)];
  if (near.length > 0) lines.push('What would have been needed:');
  for (const miss of near) lines.push(`  ${miss.rule}: ${miss.needed}`, style('dim', `    ${miss.says}`));
  return lines.join('\n');
}

function timeOfDay(text: string): number {
  const minute = minutesOf(text);
  if (minute === undefined) throw new InvalidArgumentError('It must be a time such as 09:30.');
  return minute;
}
