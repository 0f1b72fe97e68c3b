import { z } from 'zod';
import { actions } from './rule.js';

function oneOrMore<Entry extends z.ZodType>(entry: Entry) {
  return z
    .union([entry, z.array(entry).min(1)])
    .transform((given): z.output<Entry>[] => (Array.isArray(given) ? given : [given]));
}

const text = z.string().min(1);

const subject = z.strictObject({
  username: oneOrMore(text).exactOptional().describe('user names; one * stands for any characters'),
  clientid: oneOrMore(text).exactOptional().describe('client IDs; one * stands for any characters'),
  group: oneOrMore(text).exactOptional().describe('groups, as listed under groups'),
  method: oneOrMore(z.enum(['password', 'certificate', 'psk', 'anonymous']))
    .exactOptional()
    .describe('how it was proven'),
  address: oneOrMore(text).exactOptional().describe('IP addresses, or ranges such as 10.0.0.0/8'),
  listener: oneOrMore(text).exactOptional().describe('protocol:port; one * stands for any characters'),
});

const when = z.strictObject({
  qos: oneOrMore(z.literal([0, 1, 2]))
    .exactOptional()
    .describe('of the message published, or asked for in a subscription'),
  retain: z.boolean().exactOptional().describe('whether the message published is to be retained'),
});

const rule = z.strictObject({
  subject: subject.exactOptional().describe('whom the rule is about: all fields must hold; left out, everybody'),
  allow: oneOrMore(z.enum(actions)).exactOptional().describe('what they may do'),
  deny: oneOrMore(z.enum(actions)).exactOptional().describe('what they may not do'),
  topics: oneOrMore(text).exactOptional().describe('topic filters, for publish, subscribe and receive'),
  clientids: oneOrMore(text).exactOptional().describe('client IDs, for connect; one * stands for any characters'),
  when: when.exactOptional().describe('what must hold besides'),
});

/** `policy.yaml` as it is written. */
export const policySchema = z.strictObject({
  groups: z.record(text, z.array(text)).default({}).describe('user names by group'),
  rules: z.array(rule).default([]).describe('in any order'),
});

export type WrittenRule = z.output<typeof rule>;
export type WrittenSubject = z.output<typeof subject>;
export type Groups = z.output<typeof policySchema>['groups'];
