import { CodecError, ReasonCode } from '@moat/codec';
import type { LimitName } from '../config/profiles.js';

/** A packet beyond what its client was told, or may have: a fault that ends the connection. */
export class LimitExceeded extends CodecError {
  constructor(
    readonly limit: LimitName,
    reasonCode: ReasonCode,
    message: string,
    clause?: string,
  ) {
    super(reasonCode, message, clause);
  }
}

/** The limit that a fault is about; undefined when it breaks the standard itself. */
export function limitOf(fault: CodecError): LimitName | undefined {
  if (fault instanceof LimitExceeded) return fault.limit;
  // The parser has these two.
  if (fault.reasonCode === ReasonCode.packetTooLarge) return 'max_packet_size';
  return fault.reasonCode === ReasonCode.quotaExceeded ? 'max_user_properties' : undefined;
}
