import type { ReasonCode } from './reason-code.js';

/**
 * The one error that this package throws: the bytes received, or the packet given, break the standard.
 * Carries the MQTT 5.0 reason code with which a connection must be closed, and the clause that was broken.
 *
 * Thrown by {@link Parser.feed} and {@link encode}; caught once, by the owner of the connection.
 */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  readonly reasonCode: ReasonCode;
  /** The number of the broken statement, such as `MQTT-1.5.4-1`, where the standard numbers one. */
  readonly clause: string | undefined;
  /**
   * The version byte of a CONNECT refused with 0x84, when its protocol name was right: the server answers a level below
   * 5 with return code 1 in the form of 3.1.1, any other with 0x84 in the form of 5.0, and no level with silence.
   */
  readonly protocolLevel: number | undefined;

  constructor(reasonCode: ReasonCode, message: string, clause?: string, protocolLevel?: number) {
    super(message);
    this.reasonCode = reasonCode;
    this.clause = clause;
    this.protocolLevel = protocolLevel;
  }
}
