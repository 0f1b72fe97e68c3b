import { z } from 'zod';
import type { Place } from '../../errors.js';
import { Mistakes, readYaml } from '../../yaml/read-yaml.js';
import type { Path } from '../../yaml/yaml-source.js';
import type { Policy } from '../compile.js';
import type { Circumstances } from '../conditions.js';
import { certificateFields, methods, type Subject } from '../facts.js';
import { minutesOf } from '../hours.js';
import { type Action, actions } from '../rule.js';
import { sealKinds } from '../seal.js';
import type { Request } from './explain.js';

const text = z.string();
const texts = z.union([text, z.array(text)]).transform((given) => [given].flat());

/** A client as it is written in a file of expectations. */
const subject = z.strictObject({
  username: text.exactOptional(),
  clientid: text.exactOptional(),
  method: z.enum(methods).exactOptional(),
  groups: texts.exactOptional(),
  scopes: texts.exactOptional(),
  claims: z.record(text, z.unknown()).exactOptional(),
  cert: z.partialRecord(z.enum(certificateFields), texts).exactOptional(),
  address: text.exactOptional(),
  listener: text.exactOptional(),
  tls: z.boolean().exactOptional(),
});

const expectation = z.strictObject({
  connect: text.exactOptional(),
  publish: text.exactOptional(),
  subscribe: text.exactOptional(),
  receive: text.exactOptional(),
  qos: z.literal([0, 1, 2]).default(0),
  retain: z.boolean().default(false),
  payload: z.int().min(0).default(0).describe('bytes'),
  sealed: z.enum(sealKinds).exactOptional(),
});

const file = z.strictObject({
  policy: text.exactOptional().describe('the policy, relative to this file'),
  tests: z.array(
    z.strictObject({
      name: text.exactOptional(),
      subject: subject.default({}),
      at: text.exactOptional().describe('time of day in the time zone of the policy, such as 09:00'),
      allow: z.array(expectation).default([]),
      deny: z.array(expectation).default([]),
    }),
  ),
});

/** Something that an operator wants to be so. */
export interface Expectation {
  readonly name: string;
  readonly place: Place;
  readonly subject: Subject;
  readonly request: Request;
  /** Minutes since midnight; undefined for now. */
  readonly minute: number | undefined;
  readonly allowed: boolean;
}

/** A file of expectations. */
export interface Expectations {
  /** As it is written; undefined when the file names none. */
  readonly policy: string | undefined;
  readonly expectations: readonly Expectation[];
}

const code = 'policy.invalid';

/** @throws OperatorErrors with every mistake in it */
export function readExpectations(content: string, name: string): Expectations {
  const { value, source } = readYaml(content, name, file, { syntax: code, unknownKey: code, invalidValue: code });
  const mistakes = new Mistakes(source);
  const expectations = value.tests.flatMap((test, index) => {
    const path = ['tests', index];
    const minute = minutesOf(test.at);
    if (test.at !== undefined && minute === undefined)
      mistakes.add(code, [...path, 'at'], `${test.at} is no time of day`, 'write 09:00');
    if (test.allow.length + test.deny.length === 0)
      mistakes.add(code, path, 'this test expects nothing, and would never fail', 'give it allow or deny');
    const who = subjectOf(test.subject);
    return (['allow', 'deny'] as const).flatMap((effect) =>
      test[effect].map((written, position): Expectation => {
        const at = [...path, effect, position];
        const request = requestOf(written, who, at, mistakes);
        return {
          name: test.name ?? `test ${index + 1}`,
          place: source.placeOf(at),
          subject: request.action === 'connect' ? { ...who, clientId: request.target } : who,
          request,
          minute,
          allowed: effect === 'allow',
        };
      }),
    );
  });
  mistakes.throwIfAny();
  return { policy: value.policy, expectations };
}

/** What the policy says to an expectation. */
export function isMet(policy: Policy, { subject, request, minute, allowed }: Expectation): boolean {
  const bound = policy.bind(subject, minute === undefined ? Date.now() : policy.momentAt(minute));
  return bound.decide(request.action, request.target, request.circumstances).allowed === allowed;
}

function requestOf(written: z.output<typeof expectation>, who: Subject, path: Path, mistakes: Mistakes): Request {
  const named = actions.filter((action) => written[action] !== undefined);
  const [action = 'connect'] = named;
  if (named.length !== 1)
    mistakes.add(
      code,
      path,
      'an expectation has one of connect, publish, subscribe, receive',
      'write: - publish: TOPIC',
    );
  const { qos, retain, payload: payloadSize, sealed } = written;
  const circumstances: Circumstances = { qos, retain, payloadSize, sealed };
  return { action: action as Action, target: written[action] ?? who.clientId, circumstances };
}

function subjectOf({
  username,
  clientid,
  method,
  groups,
  scopes,
  claims,
  cert,
  address,
  listener,
  tls,
}: z.output<typeof subject>): Subject {
  return {
    username,
    clientId: clientid ?? username ?? '',
    method: method ?? (username === undefined ? 'anonymous' : cert === undefined ? 'password' : 'certificate'),
    groups,
    scopes,
    claims,
    certificate: cert,
    address: address ?? '127.0.0.1',
    listener: listener ?? 'mqtts:8883',
    tls: tls ?? true,
  };
}
