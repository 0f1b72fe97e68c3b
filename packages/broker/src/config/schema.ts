import { z } from 'zod';
import { parseRange } from '../guard/address.js';
import { isLoopback } from './bind.js';
import { limitFields } from './limit-fields.js';
import { type ListenerInput, listenerSchema } from './listener-schema.js';
import {
  clientLimits,
  type LimitName,
  type Limits,
  limitsOf,
  limitTable,
  type OwnLimits,
  profileNames,
  queueFullRules,
} from './profiles.js';

/**
 * The listeners of a configuration that names none: TLS for the network, where a device is known by its
 * certificate, and plain ones for this machine alone.
 */
const defaultListeners: readonly ListenerInput[] = [
  { protocol: 'mqtts', use_identity_as_username: 'cn', crlfile: 'pki/ca.crl' },
  { protocol: 'mqtt' },
  { protocol: 'ws' },
];

// biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
const clientIdPatternForm = 'may hold one *, and no variable but ${username}';

const authentication = z.strictObject({
  allow_anonymous: z
    .boolean()
    .default(false)
    .describe('let clients in that show no credentials; only with listeners on loopback addresses'),
  expose_anonymous: z
    .boolean()
    .default(false)
    .describe('the second word without which allow_anonymous is refused beside a listener that others can reach'),
  password_file: z.string().min(1).default('passwords').describe('user names and password hashes'),
  clientid_prefixes: z
    .array(z.string().min(1))
    .default([])
    .describe('when not empty, a client ID must begin with one of these'),
  clientid_patterns: z
    .array(z.string().min(1).refine(isClientIdPattern, { error: clientIdPatternForm }))
    .default([])
    .describe(
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what a person writes
      'when not empty, a client ID must match one of these: at most one *, and ${username}; such as ${username}:*',
    ),
  session_takeover: z
    .array(
      z.strictObject({
        from: z.string().min(1).describe('user name that the session belongs to'),
        to: z.string().min(1).describe('user name that may have it'),
      }),
    )
    .default([])
    .describe('user names: the client IDs and stored sessions of from may be taken over by to'),
  rehash_passwords: z
    .boolean()
    .default(true)
    .describe('a hash that another program made is made anew with Argon2id, in the file, at the next good login'),
  certificate_renewal: z
    .boolean()
    .default(true)
    .describe('devices may renew their certificate over MQTT before it ends, until it is revoked'),
  use_username_as_clientid: z.boolean().default(false).describe('the user name takes the place of the client ID'),
});

const authorization = z.strictObject({
  default: z.enum(['deny', 'allow']).default('deny').describe('what happens to what no rule speaks of'),
  policy_file: z.string().min(1).default('policy.yaml').describe('who may do what'),
  acl_file: z
    .string()
    .min(1)
    .exactOptional()
    .describe("an access control list in Mosquitto's format, in place of policy_file"),
  on_denied_publish: z
    .enum(['acknowledge', 'disconnect'])
    .default('acknowledge')
    .describe('answer a PUBLISH that is not allowed, with a reason code where the version has one, or disconnect'),
  on_denied_subscribe: z
    .enum(['not_authorized', 'unspecified'])
    .default('not_authorized')
    .describe('the SUBACK code of a filter that is not allowed: 0x87, or 0x80, which does not tell why (MQTT 5.0)'),
  on_lost_subscription: z
    .enum(['remove', 'disconnect'])
    .default('remove')
    .describe('what a client meets whose subscription a changed policy takes away: nothing, or DISCONNECT 0x87'),
  retained_after_revocation: z
    .enum(['keep', 'withdraw'])
    .default('keep')
    .describe('what becomes of a retained message when whoever published it may no longer publish there'),
  reason_names_rule: z
    .boolean()
    .default(false)
    .describe('with reason_strings: the reason string of a denial names the rule, as file:line'),
});

/** The limits in force, and how they were chosen. */
interface WrittenLimits extends Limits {
  readonly profile: (typeof profileNames)[number];
  readonly roles: Readonly<Record<string, OwnLimits>>;
}

const limits = z
  .strictObject({
    profile: z
      .enum(profileNames)
      .default('standard')
      .describe('preset of all limits; off leaves the ceilings of the protocol'),
    ...limitFields(Object.keys(limitTable) as LimitName[]),
    queue_full: z
      .enum(queueFullRules)
      .exactOptional()
      .describe('which message a full queue loses. Default: drop_newest'),
    roles: z
      .record(z.string(), z.strictObject(limitFields(clientLimits)))
      .default({})
      .describe('by role of the policy: limits that whoever is given it has otherwise, on every listener'),
  })
  .transform(
    ({ profile, roles, ...given }): WrittenLimits => ({
      profile,
      roles,
      ...limitsOf(profile),
      ...given,
    }),
  );

const admin = z.strictObject({
  http: z
    .string()
    .default('off')
    .transform(
      (value, context) => adminAddress(value) ?? refuse(context, 'must be off, or a loopback address and a port'),
    )
    .describe('off, or a loopback address and port such as 127.0.0.1:9883'),
});

const audit = z.strictObject({
  keep: z
    .enum(['everything', 'problems', 'nothing'])
    .default('everything')
    .describe('which events the audit journal keeps; problems are all but clients that come and go'),
  max_file_size: z
    .int()
    .min(65_536)
    .max(1_073_741_824)
    .default(16_777_216)
    .describe('bytes of a file of the audit journal; the next record goes into a new one'),
  max_files: z
    .int()
    .min(2)
    .max(10_000)
    .default(64)
    .describe('files of the audit journal; the oldest goes when there are more'),
  when_unwritable: z
    .enum(['continue', 'refuse'])
    .default('continue')
    .describe('while the audit journal cannot be written: serve on, or let nobody new in'),
});

const guard = z.strictObject({
  allow: z
    .array(
      z.string().refine((text) => parseRange(text) !== undefined, {
        error: 'must be an IP address or a range such as 10.0.0.0/8',
      }),
    )
    .default([])
    .describe('addresses that are never locked out, and that no limit of one address or network holds for'),
});

const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('the least shown'),
  format: z.enum(['auto', 'pretty', 'json']).default('auto').describe('auto is pretty on a terminal, JSON otherwise'),
});

/** Every key of `moat.yaml` with its default, unit and meaning; what is not here is not a key. */
export const configurationSchema = z.strictObject({
  data_dir: z.string().min(1).default('./moat-data').describe('where everything is kept; relative to this file'),
  listeners: z
    .array(listenerSchema)
    .min(1)
    .prefault([...defaultListeners])
    .describe('where clients connect'),
  authentication: authentication.prefault({}).describe('who is it'),
  authorization: authorization.prefault({}).describe('what may it do'),
  limits: limits.prefault({}).describe('what may it spend'),
  storage: z
    .strictObject({
      engine: z
        .enum(['lmdb', 'memory'])
        .default('lmdb')
        .describe('lmdb keeps them on disk, in data_dir/store; memory forgets everything at the end'),
    })
    .prefault({})
    .describe('where sessions and retained messages live'),
  admin: admin.prefault({}).describe('looking at and acting on a running broker'),
  audit: audit.prefault({}).describe('security events, kept in data_dir/audit'),
  guard: guard.prefault({}).describe('floods and guessing: whom the guard leaves alone'),
  log: log.prefault({}).describe('what is logged, and how'),
  pki: z
    .strictObject({
      ocsp_url: z
        .url({ protocol: /^https?$/ })
        .optional()
        .describe('where moat pki ocsp answers: named in every certificate that is issued (RFC 5280 §4.2.2.1)'),
    })
    .prefault({})
    .describe('what the authority in data_dir/pki says of itself'),
  sys_interval: z
    .int()
    .min(0)
    .max(86_400)
    .default(10)
    .describe('seconds between updates of $SYS topics; 0 turns them off'),
  retain_available: z
    .boolean()
    .default(true)
    .describe('false: who wants a message retained is refused (MQTT 5.0 §3.2.2.3.5)'),
  server_reference: z
    .string()
    .min(1)
    .optional()
    .describe('another server, named to MQTT 5.0 clients that are sent away (MQTT 5.0 §4.11)'),
  reason_strings: z
    .boolean()
    .default(false)
    .describe('refusals say why in words, to MQTT 5.0 clients that want it (MQTT 5.0 §3.1.2.11.7)'),
  response_information: z
    .string()
    .min(1)
    .optional()
    .describe('topic prefix given to MQTT 5.0 clients that ask for response information (MQTT 5.0 §3.2.2.3.14)'),
});

/** A configuration in force: every key has its value, every path is absolute. */
export type Configuration = z.output<typeof configurationSchema>;

/** A configuration as it may be written. */
export type ConfigurationInput = z.input<typeof configurationSchema>;

function adminAddress(value: string): 'off' | { host: string; port: number } | undefined {
  if (value === 'off') return value;
  const [, host, port] = /^\[?([^[\]]+)\]?:(\d{1,5})$/.exec(value) ?? [];
  if (host === undefined || !isLoopback(host) || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}

function refuse(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}

function isClientIdPattern(text: string): boolean {
  return text.split('*').length <= 2 && !/\$\{(?!username\})/.test(text);
}
