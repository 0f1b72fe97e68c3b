import { type AuditCode, type AuditFields, floodable } from './audit.js';

/** Milliseconds for which events are counted together. */
const period = 10_000;
/** So many of a kind are told singly in a period: from one address, and in all. */
const singlyFromOne = 20;
const singlyInAll = 500;
/** Addresses that are told apart in a period. */
const addressesInAll = 500;

const counted: ReadonlySet<AuditCode> = new Set(floodable);

interface Kind {
  told: number;
  /** Of addresses that are not told apart. */
  rest: number;
  readonly addresses: Map<string, { told: number; more: number }>;
}

/** Stands for `count` events that were not told singly. */
export interface Repeated {
  readonly code: AuditCode;
  readonly fields: AuditFields;
}

/**
 * Keeps a flood of failures from driving everything else out of the journal: of each kind a bounded number is told
 * singly in ten seconds, the others by their number, for each address as long as there are few.
 */
export class Repetition {
  private kinds = new Map<AuditCode, Kind>();
  private endsAt = 0;

  /** Whether this one is told singly; else it is counted. */
  isTold(code: AuditCode, address: string | undefined, count: number): boolean {
    if (!counted.has(code)) return true;
    const kind = this.kinds.get(code) ?? { told: 0, rest: 0, addresses: new Map() };
    this.kinds.set(code, kind);
    const from = this.addressOf(kind, address ?? '');
    if (kind.told < singlyInAll && (from?.told ?? 0) < singlyFromOne) {
      kind.told++;
      if (from !== undefined) from.told++;
      return true;
    }
    if (from === undefined) kind.rest += count;
    else from.more += count;
    return false;
  }

  /** What was counted in the period that has ended; nothing while it lasts, unless `early`. */
  due(now: number, early = false): Repeated[] {
    if (now < this.endsAt && !early) return [];
    this.endsAt = now + period;
    const { kinds } = this;
    this.kinds = new Map();
    return [...kinds].flatMap(([code, { addresses, rest }]) => [
      ...[...addresses].filter(([, { more }]) => more > 0).map(([address, { more }]) => repeated(code, more, address)),
      ...(rest > 0 ? [repeated(code, rest)] : []),
    ]);
  }

  private addressOf({ addresses }: Kind, address: string) {
    const known = addresses.get(address);
    if (known !== undefined || addresses.size >= addressesInAll) return known;
    const made = { told: 0, more: 0 };
    addresses.set(address, made);
    return made;
  }
}

function repeated(code: AuditCode, count: number, address?: string): Repeated {
  return { code, fields: { ...(address ? { address } : {}), count, reason: 'so many more in ten seconds' } };
}
