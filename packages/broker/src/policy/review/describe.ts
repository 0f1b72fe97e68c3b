import type { BlockList } from 'node:net';
import { type AddressRange, parseRange } from '../../guard/address.js';
import type { Conditions, Setting } from '../conditions.js';
import { writeWindow } from '../hours.js';
import { nameOfRule, type Permission, type Rule } from '../rule.js';
import type { FactTest, SubjectPattern } from '../subject.js';
import { writePattern } from '../text-pattern.js';

const factNames: Record<string, string> = { username: 'user name', clientid: 'client ID' };

/** `user name alice or bob`. */
export function describeTest({ fact, patterns }: FactTest): string {
  return `${factNames[fact] ?? fact} ${either(patterns.map(writePattern))}`;
}

/** Whom a rule is about, in words. */
export function describeSubject({ tests, addresses }: SubjectPattern): string {
  const parts = [...tests.map(describeTest), ...addresses.map(describeAddresses)];
  return parts.length === 0 ? 'everybody' : parts.join(' and ');
}

/** `an address in 10.0.0.0/8 or 2001:db8::/32`. */
export function describeAddresses(list: BlockList): string {
  return `an address in ${either(rangesOf(list).map(({ network, prefix }) => `${network}/${prefix}`))}`;
}

/** The ranges of a list as they were added. */
export function rangesOf(list: BlockList): AddressRange[] {
  const texts = list.rules.map((rule) => rule.replace(/^Subnet: IPv[46] /, '')).reverse();
  return texts.map(parseRange).filter((range) => range !== undefined);
}

/** What a rule asks besides, in words; none for nothing. */
export function describeConditions(conditions: Conditions, setting: Setting): string[] {
  const { qos, retain, payloadSize, sealed } = conditions;
  const { tls, hours } = setting;
  return [
    ...(qos === undefined ? [] : [`with QoS ${either([...qos].map(String))}`]),
    ...(retain === undefined ? [] : [retain ? 'retained' : 'not retained']),
    ...(payloadSize === undefined ? [] : [describeSize(payloadSize)]),
    ...(sealed === undefined ? [] : [`sealed with ${either([...sealed])}`]),
    ...(tls === undefined ? [] : [tls ? 'over TLS' : 'without TLS']),
    ...(hours === undefined ? [] : [`between ${either(hours.map(writeWindow))}`]),
  ];
}

function describeSize({ least, most }: NonNullable<Conditions['payloadSize']>): string {
  const atLeast = least === 0 ? '' : ` at least ${least}`;
  const atMost = most === Number.POSITIVE_INFINITY ? '' : ` at most ${most}`;
  return `a payload of${[atLeast, atMost].filter(Boolean).join(' and')} bytes`;
}

/** `allow publish on devices/${username}/#, with QoS 1`. */
export function describePermission({ effect, actions, topics, clientIds, conditions, setting }: Permission): string {
  const objects = [
    ...(topics.length === 0 ? [] : [`on ${topics.map(({ text }) => text).join(', ')}`]),
    ...(clientIds.length === 0 ? [] : [`as ${clientIds.map(({ text }) => text).join(', ')}`]),
  ];
  return [`${effect} ${[...actions].join(', ')} ${objects.join(' ')}`, ...describeConditions(conditions, setting)].join(
    ', ',
  );
}

/** `policy.yaml:7`, and for the rule of a role where that was given. */
export function describePlace(rule: Rule): string {
  const { given } = rule;
  return `${nameOfRule(rule)}${given === undefined ? '' : ` (role ${given.role}, given at ${given.place.file}:${given.place.line})`}`;
}

export function either(words: readonly string[]): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
