import type { PreparedBroker, Target } from './broker/broker.js';

/** How hard a drill hits: `small` is for every run of the tests. */
export type Intensity = 'small' | 'full';

/** What a drill never goes beyond. */
export interface Amount {
  /** Of what the drill counts. */
  readonly count: number;
  /** From its first attempt to its last. */
  readonly seconds: number;
}

/** One thing that was tried. */
export interface Attempt {
  readonly tried: string;
  readonly happened: string;
  /** Whether a right broker may answer so. */
  readonly survived: boolean;
}

/** What the workload of others must come to meanwhile; shares from 0 to 1. */
export interface Expectation {
  /** Of their connects that succeed. */
  readonly connects: number;
  /** Of their messages that arrive in time. */
  readonly messages: number;
  /** How far the broker's memory may grow at most. */
  readonly growthMiB: number;
  /** By which share of what it was before it may be above that in the end, once it had the time to settle. */
  readonly remains?: number;
  /** Milliseconds that 99 of 100 connects may take, or twice what they took before if that is more. */
  readonly connectWithin?: number;
}

export interface Run<T extends Target = Target> {
  readonly broker: T;
  readonly amount: Amount;
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  /** To be called as soon as an attempt has its outcome. */
  report(attempt: Attempt): void;
}

interface Common {
  readonly name: string;
  /** What is done to the broker, in a few words. */
  readonly summary: string;
  /** Where it was seen. */
  readonly seenIn: string;
  /** What the amount counts: `guesses`. */
  readonly unit: string;
  readonly intensity: Readonly<Record<Intensity, Amount>>;
  /** Whether others use the broker meanwhile, and what they must get. Without it nothing of that is measured. */
  readonly workload?: Expectation;
  /** How many of them come and go in a second; 10 unless given. */
  readonly visits?: number;
  /** Passwords are hashed so that checking them costs nothing: logging in is not what is tried. */
  readonly cheapPasswords?: true;
  /** Nobody is turned away for being refused often: guessing is not what is tried either. */
  readonly neverLockedOut?: true;
  /** Brokers that it says nothing about, by name, and why. */
  readonly notFor?: Readonly<Record<string, string>>;
}

/**
 * One attack. One that needs no more than an address can be pointed at any broker, and runs in a process of its own; the
 * others need one that was set up for them: users, rights and certificates of `broker/setup.ts`.
 */
export type Drill =
  | (Common & { readonly needs: 'address'; run(run: Run): Promise<void> })
  | (Common & { readonly needs: 'setup'; run(run: Run<PreparedBroker>): Promise<void> });
