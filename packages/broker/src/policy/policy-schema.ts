import { z } from 'zod';
import { certificateFields, methods } from './facts.js';
import { actions } from './rule.js';
import { sealKinds } from './seal.js';

function oneOrMore<Entry extends z.ZodType>(entry: Entry) {
  return z
    .union([entry, z.array(entry).min(1)])
    .transform((given): z.output<Entry>[] => (Array.isArray(given) ? given : [given]));
}

const text = z.string().min(1);
const texts = oneOrMore(text);

const certificateHelp: Record<(typeof certificateFields)[number], string> = {
  cn: 'common name',
  san_dns: 'DNS names of its subject alternative name',
  san_uri: 'URIs of its subject alternative name',
  san_email: 'e-mail addresses of its subject alternative name',
  subject: 'distinguished name of its subject',
  issuer: 'distinguished name of its issuer',
  serial: 'serial number, hexadecimal',
  fingerprint: 'SHA-256 of it, hexadecimal',
};

const certificate = z.strictObject(
  Object.fromEntries(
    certificateFields.map((field) => [field, texts.exactOptional().describe(certificateHelp[field])]),
  ) as Record<(typeof certificateFields)[number], z.ZodExactOptional<typeof texts>>,
);

const subject = z.strictObject({
  username: texts.exactOptional().describe('user names; one * stands for any characters, here and below'),
  clientid: texts.exactOptional().describe('client IDs'),
  group: texts.exactOptional().describe('groups: those listed under groups, or those that its token names'),
  cert: certificate.exactOptional().describe('fields of its verified certificate'),
  claims: z
    .record(text, texts)
    .exactOptional()
    .describe('claims of its token by name; a dot leads into a claim, a list matches by any entry'),
  scope: texts.exactOptional().describe('scopes of its token'),
  method: oneOrMore(z.enum(methods)).exactOptional().describe('how it was proven'),
  address: texts.exactOptional().describe('IP addresses, or ranges such as 10.0.0.0/8'),
  listener: texts.exactOptional().describe('protocol:port, such as mqtts:*'),
});

const size = z.int().min(0).max(268_435_460);

const when = z.strictObject({
  qos: oneOrMore(z.literal([0, 1, 2]))
    .exactOptional()
    .describe('of the message published, or asked for in a subscription'),
  retain: z.boolean().exactOptional().describe('whether the message published is to be retained'),
  min_payload: size.exactOptional().describe('bytes that the message published has at least'),
  max_payload: size.exactOptional().describe('bytes that the message published has at most'),
  sealed: oneOrMore(z.enum(sealKinds))
    .exactOptional()
    .describe('how the payload published is protected; what cannot be verified is refused'),
  tls: z.boolean().exactOptional().describe('whether TLS protects the connection'),
  hours: oneOrMore(z.string())
    .exactOptional()
    .describe('times of day such as 08:00-17:30, in the time zone of the policy'),
});

const rule = z.strictObject({
  subject: subject.exactOptional().describe('whom the rule is about: all fields must hold; left out, everybody'),
  allow: oneOrMore(z.enum(actions)).exactOptional().describe('what they may do'),
  deny: oneOrMore(z.enum(actions)).exactOptional().describe('what they may not do'),
  roles: texts.exactOptional().describe('roles that they are given, in place of allow or deny'),
  topics: texts.exactOptional().describe('topic filters with variables, for publish, subscribe and receive'),
  clientids: texts.exactOptional().describe('client IDs with variables, for connect'),
  when: when.exactOptional().describe('what must hold besides'),
});

export const rulesSchema = z.array(rule);

/** `policy.yaml` as it is written. */
export const policySchema = z.strictObject({
  timezone: text.default('UTC').describe('of the hours in rules, such as Europe/Berlin'),
  groups: z
    .record(text, oneOrMoreOrNone(z.union([text, subject])))
    .default({})
    .describe('members by group: user names, or subjects as in rules'),
  roles: z.record(text, rulesSchema).default({}).describe('rules that hold for whoever is given the role'),
  rules: rulesSchema.default([]).describe('in any order'),
});

function oneOrMoreOrNone<Entry extends z.ZodType>(entry: Entry) {
  return z
    .union([entry, z.array(entry)])
    .transform((given): z.output<Entry>[] => (Array.isArray(given) ? given : [given]));
}

export type WrittenRule = z.output<typeof rule>;
export type WrittenSubject = z.output<typeof subject>;
export type WrittenPolicy = z.output<typeof policySchema>;
