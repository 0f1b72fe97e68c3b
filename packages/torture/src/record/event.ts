/** Application messages of the torture: who sent it, and its number among all that this one sent. */
export interface Numbered {
  readonly from: string;
  readonly n: number;
}

/** What a client is about to send, as its record holds it. */
export interface Sending {
  readonly n: number;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** A retained message without payload removes the one before. */
  readonly empty: boolean;
  /** Packet identifier; 0 for QoS 0. */
  readonly id: number;
}

/** The will of one connection: its number is that of the attempt. */
export interface RecordedWill {
  readonly n: number;
  readonly topic: string;
  /** Seconds. */
  readonly delay: number;
}

/**
 * What happens to a client, as it writes it down. What it does is written before it does it (`…ing`), what it is told
 * before it acts upon it: so a record never claims less than the client knew, nor more than it was told.
 */
export type ClientEvent =
  /** A process takes the client up, from its record. */
  | { readonly e: 'began' }
  | {
      readonly e: 'connecting';
      readonly clean: boolean;
      /** Seconds that the session is to outlive the connection. */
      readonly expiry: number;
      readonly will?: RecordedWill;
    }
  | { readonly e: 'connected'; readonly present: boolean }
  /** A reason code of 0x80 or above, wherever it came. */
  | { readonly e: 'refused'; readonly packet: string; readonly code: number; readonly n?: number }
  /** DISCONNECT is to be sent. */
  | { readonly e: 'leaving' }
  /** The connection has ended. */
  | { readonly e: 'gone' }
  | ({ readonly e: 'sending' } & Sending)
  /** PUBREC. */
  | { readonly e: 'received'; readonly n: number }
  /** PUBACK or PUBCOMP. */
  | { readonly e: 'done'; readonly n: number }
  /** PUBLISH; of QoS 2, only those that are new by their packet identifier. */
  | ({
      readonly e: 'arrived';
      readonly topic: string;
      readonly qos: 0 | 1 | 2;
      readonly retain: boolean;
      readonly id: number;
    } & Numbered)
  /** PUBREL. */
  | { readonly e: 'released'; readonly id: number }
  | { readonly e: 'subscribing' | 'subscribed' | 'unsubscribing' | 'unsubscribed'; readonly filter: string };

/** What happens to the broker: a life ends when the signal is sent. Its disk is filled, and freed again. */
export type BrokerEvent = { readonly e: 'ready' | 'killed' | 'stopped' | 'filled' | 'freed' };

/** Milliseconds of a clock that all processes of a machine share, and that nobody sets. */
export type Timed<T> = T & { readonly at: number };

/** Now, by the clock of {@link Timed}. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
