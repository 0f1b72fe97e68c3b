import type { Window } from './hours.js';
import type { SealKind } from './seal.js';

/** What a rule asks of a packet besides its topic; every field that is given must hold. */
export interface Conditions {
  readonly qos?: ReadonlySet<number>;
  readonly retain?: boolean;
  /** Bytes, both included. */
  readonly payloadSize?: { readonly least: number; readonly most: number };
  readonly sealed?: ReadonlySet<SealKind>;
}

/** What a rule asks of the connection and the time of day, which is the same for all its packets. */
export interface Setting {
  readonly tls?: boolean;
  readonly hours?: readonly Window[];
}

/** What is known of a packet when a rule is asked; what is undefined is not known. */
export interface Circumstances {
  /** Of the PUBLISH, or the one asked for in the SUBSCRIBE. */
  readonly qos: number;
  /** Of the PUBLISH; false in a SUBSCRIBE. */
  readonly retain: boolean;
  /** Bytes. */
  readonly payloadSize?: number | undefined;
  readonly sealed?: SealKind | undefined;
}

/** @param ifUnknown whether a condition holds on what is not known: for a rule that denies it does, so that doubt never allows */
export function conditionsHold(
  { qos, retain, payloadSize, sealed }: Conditions,
  circumstances: Circumstances,
  ifUnknown: boolean,
): boolean {
  const { payloadSize: size, sealed: seal } = circumstances;
  return (
    (qos === undefined || qos.has(circumstances.qos)) &&
    (retain === undefined || retain === circumstances.retain) &&
    (payloadSize === undefined ||
      (size === undefined ? ifUnknown : size >= payloadSize.least && size <= payloadSize.most)) &&
    (sealed === undefined || (seal === undefined ? ifUnknown : sealed.has(seal)))
  );
}
