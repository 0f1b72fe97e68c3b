import { type Command, InvalidArgumentError, Option } from 'commander';
import { examples } from '../help.js';
import { durationArgument, integer } from '../parse-argument.js';
import { subcommand } from '../subcommand.js';
import { listEvents } from './audit/list.js';
import { verifyEvents } from './audit/verify.js';

export function defineAudit(command: Command): void {
  command.addHelpText(
    'after',
    examples('moat audit', 'moat audit --follow', 'moat audit --denied', 'moat audit verify'),
  );
  subcommand(command, 'list', 'show security events, the last ones or all that match')
    .addOption(new Option('-n, --lines <n>', 'so many of the last').default(50).argParser(integer(1, 1_000_000)))
    .addOption(new Option('--all', 'all of them').conflicts('lines'))
    .option('--since <duration>', 'only those of the last 90s, 15m, 12h, 7d', durationArgument)
    .option('--code <glob>', "only these codes: auth.failed, 'auth.*'")
    .option('--user <glob>', 'only those of this user name: * is any characters, ? is one')
    .option('--client-id <glob>', 'only those of this client ID')
    .option('--address <glob>', 'only those from this address')
    .addOption(new Option('--denied', 'what the policy denied, by rule and client').conflicts(['follow', 'lines']))
    .addOption(new Option('-f, --follow', 'and those that come, until interrupted').conflicts('all'))
    .option('--json', 'print JSON lines, as they stand in the journal')
    .addHelpText(
      'after',
      `
Reads the files in the data directory; the broker need not run.
${examples('moat audit --since 1h --code auth.failed', "moat audit --user 'pump-*' --all --json", 'moat audit -f')}`,
    )
    .action(listEvents);
  subcommand(command, 'verify', 'find out whether the journal was changed')
    .option('--head <hash>', 'a hash that was kept elsewhere: the record with it must be there', hashArgument)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Each record holds the hash of the one before. What is changed, removed or moved shows; what is cut off at the end
shows only to who kept the hash of a record: the last line of this command, or the log lines "audit journal".
The exit code is 1 if anything is wrong.
${examples('moat audit verify', 'moat audit verify --head "$(cat /mnt/elsewhere/audit-head)"')}`,
    )
    .action(verifyEvents);
}

function hashArgument(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('It must be 64 hexadecimal digits.');
  return text;
}
