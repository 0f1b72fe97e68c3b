import type { Policy } from '../compile.js';
import type { Circumstances } from '../conditions.js';
import { minutesOfDay } from '../hours.js';
import { sealKinds } from '../seal.js';

/** Everything besides clients and topics that an answer of some policies can depend on. */
export interface Variety {
  readonly publish: readonly Circumstances[];
  readonly subscribe: readonly Circumstances[];
  /** Wall-clock milliseconds: one for each part of the day in which the answers are the same. */
  readonly moments: readonly number[];
  readonly tls: readonly boolean[];
  /** False when some were left out. */
  readonly complete: boolean;
}

/** Bytes of the longest payload of MQTT. */
const mostBytes = 268_435_460;
const maxSizes = 64;
const maxMoments = 48;

export function varietyOf(before: Policy, after: Policy, now: number): Variety {
  const rules = [...before.rules, ...after.rules];
  const asked = (key: 'qos' | 'retain' | 'sealed') => rules.some(({ conditions }) => conditions[key] !== undefined);
  const qos = asked('qos') ? [0, 1, 2] : [0];
  const retain = asked('retain') ? [false, true] : [false];
  const seals = asked('sealed') ? [undefined, ...sealKinds] : (['none'] as const);
  const edges = rules.flatMap(({ conditions: { payloadSize: size } }) =>
    size === undefined ? [] : [size.least - 1, size.least, size.most, size.most + 1],
  );
  const known = edges.filter((size) => size > 0 && size <= mostBytes);
  const sizes = [...new Set(known.length === 0 ? [0] : [0, undefined, ...known])];
  const moments = momentsOf(before, after, now);
  const flags = qos.flatMap((one) => retain.map((other) => ({ qos: one, retain: other })));
  return {
    publish: flags.flatMap((each) =>
      sizes.slice(0, maxSizes).flatMap((payloadSize) => seals.map((sealed) => ({ ...each, payloadSize, sealed }))),
    ),
    subscribe: qos.map((one) => ({ qos: one, retain: false, payloadSize: 0 })),
    moments: moments.slice(0, maxMoments),
    tls: rules.some(({ setting }) => setting.tls !== undefined) ? [true, false] : [true],
    complete: sizes.length <= maxSizes && moments.length <= maxMoments,
  };
}

function momentsOf(before: Policy, after: Policy, now: number): number[] {
  const moments = [before, after].flatMap((policy) =>
    policy.rules
      .flatMap(({ setting }) => setting.hours ?? [])
      .flatMap(({ from, to }) => [from, to % minutesOfDay])
      .map((minute) => policy.momentAt(minute, now)),
  );
  const phases = new Map<string, number>();
  for (const moment of [now, ...moments]) {
    const phase = `${before.phaseAt(moment)} ${after.phaseAt(moment)}`;
    if (!phases.has(phase)) phases.set(phase, moment);
  }
  return [...phases.values()];
}
