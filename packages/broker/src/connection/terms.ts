import type { ParserOptions } from '@moat/codec';
import { type ClientLimits, clientLimits, type Limits, type OwnLimits } from '../config/profiles.js';
import type { Policy } from '../policy/compile.js';
import type { Subject } from '../policy/facts.js';
import type { Terms } from '../session/terms.js';

/** What CONNACK told of, and the client may go by for as long as it is connected. */
const told = ['max_packet_size', 'receive_maximum', 'max_topic_alias'] as const;

/** The limits of some clients: one object for all of the same listener and roles. */
export class ClientTerms implements Terms {
  readonly parserOptions: ParserOptions;

  constructor(
    readonly limits: ClientLimits,
    /** Of the listener. */
    readonly own: OwnLimits,
    readonly book: TermsBook,
  ) {
    this.parserOptions = {
      role: 'server',
      maximumPacketSize: limits.max_packet_size,
      maximumUserProperties: limits.max_user_properties,
    };
  }

  /** The same, but what a client was told by others stays. */
  keeping({ limits }: ClientTerms): ClientTerms {
    if (told.every((name) => limits[name] === this.limits[name])) return this;
    const stays = Object.fromEntries(told.map((name) => [name, limits[name]]));
    return new ClientTerms({ ...this.limits, ...stays }, this.own, this.book);
  }
}

/** Limits as they were configured: in general, and of those who are given a role. */
export type GeneralLimits = Limits & { readonly roles: Readonly<Record<string, OwnLimits>> };

/**
 * The limits of every client, worked out once for each listener and set of roles, and used as long as configuration and policy
 * stay the same. The most generous of its roles holds for a client, then the listener, then the general limit.
 */
export class TermsBook {
  private readonly known = new WeakMap<OwnLimits, Map<string, ClientTerms>>();
  private readonly asksRoles: boolean;

  constructor(private readonly general: GeneralLimits) {
    this.asksRoles = Object.keys(general.roles).length > 0;
  }

  /** For when the same limits hold, and others may have the roles. */
  renewed(): TermsBook {
    return new TermsBook(this.general);
  }

  /** @param roles all that the client is given, in any order */
  of(own: OwnLimits, roles: readonly string[] = []): ClientTerms {
    let byRoles = this.known.get(own);
    if (byRoles === undefined) {
      byRoles = new Map();
      this.known.set(own, byRoles);
    }
    const named = roles.length === 0 ? roles : Object.keys(this.general.roles).filter((role) => roles.includes(role));
    const key = named.length === 0 ? '' : JSON.stringify(named);
    let terms = byRoles.get(key);
    if (terms === undefined) {
      terms = new ClientTerms(this.limitsOf(own, named), own, this);
      byRoles.set(key, terms);
    }
    return terms;
  }

  /** The terms of somebody who comes in by a listener with limits of its `own`. */
  ofClient(own: OwnLimits, policy: Policy, subject: Subject): ClientTerms {
    return this.of(own, this.asksRoles ? policy.rolesOf(subject) : []);
  }

  private limitsOf(own: OwnLimits, roles: readonly string[]): ClientLimits {
    const { general } = this;
    const limits = clientLimits.map((name) => {
      const given = roles.flatMap((role) => general.roles[role]?.[name] ?? []);
      return [name, given.length > 0 ? Math.max(...given) : (own[name] ?? general[name])];
    });
    return { ...(Object.fromEntries(limits) as ClientLimits), queue_full: general.queue_full };
  }
}
