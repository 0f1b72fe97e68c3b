import type { Packet, ProtocolVersion, ReasonCode } from '@moat/codec';

/** Bytes, what they mean, and who may send them. */
export interface Vector {
  /** What is shown, with the clauses that it shows. */
  title: string;
  /** The version of the connection; that of CONNECT itself, or 0 for one that is refused before it has a version. */
  version: 0 | ProtocolVersion;
  from: 'client' | 'server';
  /** In the notation of `notation.ts`. */
  bytes: string;
  /** What the bytes mean; absent when they are refused. */
  packet?: Packet;
  /** The packet has a shorter or more usual form, which is the one that is encoded. */
  alternative?: true;
  /** How they are refused. */
  reasonCode?: ReasonCode;
}

type Accepted = Omit<Vector, 'version' | 'from' | 'reasonCode' | 'packet'> & { packet: Packet };
type Refused = Omit<Vector, 'version' | 'from' | 'reasonCode' | 'packet' | 'alternative'>;

/** The same vectors for several versions. */
export function accepted(from: Vector['from'], versions: readonly ProtocolVersion[], vectors: Accepted[]): Vector[] {
  return versions.flatMap((version) => vectors.map((vector) => ({ ...vector, version, from })));
}

export function refused(
  from: Vector['from'],
  versions: readonly (0 | ProtocolVersion)[],
  reasonCode: ReasonCode,
  vectors: Refused[],
): Vector[] {
  return versions.flatMap((version) => vectors.map((vector) => ({ ...vector, version, from, reasonCode })));
}

export const EVERY: readonly ProtocolVersion[] = [3, 4, 5];
export const BEFORE_5: readonly ProtocolVersion[] = [3, 4];
export const ONLY_5: readonly ProtocolVersion[] = [5];
