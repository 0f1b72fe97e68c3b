import type { Audit } from '../audit/audit.js';
import type { Limits } from '../config/profiles.js';
import { AddressList } from '../guard/address.js';
import { Admission } from '../guard/admission.js';
import type { Bans } from '../guard/bans.js';
import { Budget } from '../guard/budget.js';
import { Buffered } from '../guard/buffered.js';
import { connectionsByDescriptors } from '../guard/descriptors.js';
import { LockOut } from '../guard/lock-out.js';
import { Refusals } from '../guard/refusals.js';
import { Unfinished } from '../guard/unfinished.js';
import { HandshakeGate } from '../transport/handshake-gate.js';
import { LoginGuard } from './login-guard.js';

/** All that judges connections before they are clients. */
export class Gatehouse {
  readonly refusals: Refusals;
  readonly admission: Admission;
  readonly gate: HandshakeGate;
  readonly unfinished: Unfinished;
  readonly buffered: Buffered;
  readonly subscriptions: Budget;
  readonly aliases: Budget;
  readonly logins: LoginGuard;
  private allowed: AddressList;

  /**
   * @param limits read anew each time
   * @param allow addresses that are left alone
   */
  constructor(limits: Limits, allow: readonly string[], bans: Bans, audit: Audit) {
    this.allowed = new AddressList(allow);
    const isExempt = (address: string): boolean => this.allowed.has(address);
    const lockOut = new LockOut(limits, isExempt);
    const isKnown = (address: string): boolean => lockOut.knowsAddress(address);
    this.refusals = new Refusals(audit);
    this.admission = new Admission(limits, { isExempt, isKnown }, connectionsByDescriptors());
    this.logins = new LoginGuard(bans, lockOut, this.refusals, audit);
    this.gate = new HandshakeGate(limits);
    this.unfinished = new Unfinished(limits);
    this.buffered = new Buffered(limits);
    this.subscriptions = new Budget(() => limits.max_subscription_bytes);
    this.aliases = new Budget(() => limits.max_alias_bytes);
    this.admission.guests.onEvicted = ({ address }) =>
      this.refusals.record('limit.evicted', { address, reason: 'made room for another connection' });
  }

  /** Leaves other addresses alone. */
  allow(ranges: readonly string[]): void {
    this.allowed = new AddressList(ranges);
  }
}
