import type { Report } from '../yaml/read-yaml.js';
import type { Path } from '../yaml/yaml-source.js';
import type { Conditions, Setting } from './conditions.js';
import { parseWindow } from './hours.js';
import type { WrittenRule } from './policy-schema.js';
import type { Action } from './rule.js';

type Written = NonNullable<WrittenRule['when']>;

/** Of which actions a condition is known. A delivery is judged by its topic alone, so that all messages of it fare alike. */
const knownOf: Partial<Record<keyof Written, readonly Action[]>> = {
  qos: ['publish', 'subscribe'],
  retain: ['publish'],
  min_payload: ['publish'],
  max_payload: ['publish'],
  sealed: ['publish'],
};

/** What a rule asks of each packet. */
export function parseConditions(when: Written, actions: ReadonlySet<Action>, path: Path, report: Report): Conditions {
  for (const [key, known] of Object.entries(knownOf)) {
    const unknown = [...actions].find((action) => !known.includes(action));
    if (Object.hasOwn(when, key) && unknown !== undefined)
      report([...path, key], `${key} is not known of ${unknown}`, 'write rules of their own for the other actions');
  }
  const { qos, retain, min_payload: least, max_payload: most, sealed } = when;
  if (least !== undefined && most !== undefined && least > most)
    report([...path, 'min_payload'], `no payload has at least ${least} and at most ${most} bytes`);
  return {
    ...(qos === undefined ? {} : { qos: new Set(qos) }),
    ...(retain === undefined ? {} : { retain }),
    ...(least === undefined && most === undefined
      ? {}
      : { payloadSize: { least: least ?? 0, most: most ?? Number.POSITIVE_INFINITY } }),
    ...(sealed === undefined ? {} : { sealed: new Set(sealed) }),
  };
}

/** What a rule asks of connection and time. */
export function parseSetting({ tls, hours }: Written, path: Path, report: Report): Setting {
  const windows = hours?.flatMap((text, index) => {
    const window = parseWindow(text);
    if (window === undefined)
      report([...path, 'hours', index], `${JSON.stringify(text)} is no part of a day`, 'write 08:00-17:30');
    return window ?? [];
  });
  return { ...(tls === undefined ? {} : { tls }), ...(windows === undefined ? {} : { hours: windows }) };
}
