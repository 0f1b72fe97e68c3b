import { type CertificateField, certificateFields, methods, type Subject } from '@moat/broker';
import type { Command } from 'commander';
import { usageError } from '../../failure.js';
import { gather } from '../../parse-argument.js';

/** A client, as options describe it. */
export interface SubjectOptions {
  readonly username?: string;
  readonly clientId?: string;
  readonly group: readonly string[];
  readonly cert: readonly string[];
  readonly claim: readonly string[];
  readonly scope: readonly string[];
  readonly method?: string;
  readonly address: string;
  readonly listener: string;
  readonly tls: boolean;
}

/** Everything that a policy can ask of a client. */
export function addSubjectOptions(command: Command): Command {
  return command
    .option('-u, --username <name>', 'user name (default: none, an anonymous client)')
    .option('-i, --client-id <id>', 'client ID (default: the user name)')
    .option('--group <name>', 'a group that its token names; may be given again', gather, [])
    .option(
      '--cert <field=value>',
      `of its certificate: ${certificateFields.join(', ')}; may be given again`,
      gather,
      [],
    )
    .option('--claim <name=value>', 'of its token; may be given again, with one name for a list', gather, [])
    .option('--scope <name>', 'of its token; may be given again', gather, [])
    .addOption(
      command
        .createOption('--method <method>', 'how it proved who it is (default: as the other options suggest)')
        .choices([...methods]),
    )
    .option('--address <ip>', 'where it comes from', '127.0.0.1')
    .option('--listener <name>', 'where it comes in', 'mqtts:8883')
    .option('--no-tls', 'without TLS');
}

export function subjectOf(options: SubjectOptions): Subject {
  const { username, clientId, group, cert, claim, scope, address, listener, tls } = options;
  const fields = valuesByName('--cert', cert);
  for (const field of fields.keys())
    if (!certificateFields.includes(field as CertificateField))
      throw usageError(`--cert knows no field ${field}: there are ${certificateFields.join(', ')}`);
  const claims = [...valuesByName('--claim', claim)].map(([name, values]) => [
    name,
    values.length > 1 ? values : values[0],
  ]);
  return {
    username,
    clientId: clientId ?? username ?? '',
    method: options.method ?? guessMethod(options),
    groups: group,
    scopes: scope,
    claims: Object.fromEntries(claims),
    certificate: Object.fromEntries(fields),
    address,
    listener,
    tls,
  };
}

function guessMethod({ username, cert, claim, scope }: SubjectOptions): string {
  if (claim.length + scope.length > 0) return 'token';
  if (cert.length > 0) return 'certificate';
  return username === undefined ? 'anonymous' : 'password';
}

function valuesByName(option: string, pairs: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    if (at < 1) throw usageError(`${option} ${pair}: write NAME=VALUE`);
    const name = pair.slice(0, at);
    values.set(name, [...(values.get(name) ?? []), pair.slice(at + 1)]);
  }
  return values;
}
