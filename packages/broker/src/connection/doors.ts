import type { Invites } from '@moat/pki';
import type { Audit } from '../audit/audit.js';
import type { Access } from '../config/access-files.js';
import { isTls, type Listener as ListenerConfiguration, type TlsListener } from '../config/listener-schema.js';
import type { Configuration } from '../config/schema.js';
import type { Admission, Door } from '../guard/admission.js';
import { Guest } from '../guard/guest.js';
import type { Refusals } from '../guard/refusals.js';
import type { Authenticator } from '../identity/authenticator.js';
import type { OcspStaple } from '../identity/ocsp-staple.js';
import type { PasswordFile } from '../identity/password-file.js';
import type { HandshakeGate } from '../transport/handshake-gate.js';
import { Listener, type ListenerOwner } from '../transport/listener.js';
import type { TlsMaterial } from '../transport/tls-material.js';
import type { Wire, WireOrigin } from '../transport/wire.js';
import {
  authenticatorOf,
  authenticatorWithInvites,
  certificateNameOf,
  confirmationOf,
  type PasswordChecks,
} from './authenticators.js';
import type { ListenerPolicy } from './context.js';
import { listenerKey, listenerOptions, shapeOf } from './listener-options.js';
import {
  type ListenerIdentity,
  type ListenerTls,
  loadIdentity,
  loadListenerTls,
  loadTrust,
  type RevocationEvents,
} from './listener-tls.js';
import type { LoginGuard } from './login-guard.js';

/** One listener as it was bound. */
export interface BoundListener {
  readonly protocol: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  readonly address: string;
  readonly port: number;
}

/** What the doors are built from. */
export interface DoorsContext {
  readonly admission: Admission;
  readonly gate: HandshakeGate;
  readonly audit: Audit;
  readonly refusals: Refusals;
  readonly logins: LoginGuard;
  /** Whether the broker is overloaded, and takes in nobody. */
  refuses(): boolean;
  readonly checks: PasswordChecks;
  /** Undefined: there are none. */
  readonly invites: Invites | undefined;
  /** Takes in a client. */
  accepted(wire: Wire, policy: ListenerPolicy): void;
}

/** Whose bound a newcomer met, in words. */
const reasons = {
  address: 'of one address',
  subnet: 'of one network',
  listener: 'of the listener',
  all: 'in all',
} as const;

interface OpenDoor {
  readonly listener: Listener;
  readonly policy: ListenerPolicy;
  readonly door: Door;
  staples: readonly (OcspStaple | undefined)[];
  readonly shape: string;
}

/** The listeners of a broker: opened, changed and closed one by one, as the configuration has it. */
export class Doors {
  private readonly open = new Map<string, OpenDoor>();

  constructor(private readonly context: DoorsContext) {}

  get bound(): readonly BoundListener[] {
    return [...this.open.values()].map(({ listener }) => ({
      protocol: listener.options.protocol,
      address: listener.address,
      port: listener.port,
    }));
  }

  /**
   * Puts the listeners of a configuration in force. Files that cannot be read and ports that cannot be bound leave
   * everything as it was; connections stay, those of closed listeners too.
   * @throws OperatorError
   */
  async apply(configuration: Configuration, access: Access): Promise<void> {
    const { limits } = configuration;
    const wanted = new Map(configuration.listeners.map((listener) => [listenerKey(listener), listener]));
    const secrets = new Map<string, ListenerTls>();
    for (const [key, listener] of wanted) {
      if (isTls(listener)) secrets.set(key, await loadListenerTls(listener, limits, this.told(listener)));
    }
    const before = [...this.open];
    await this.openMissing(wanted, secrets, configuration, access);
    for (const [key, door] of before) {
      const listener = wanted.get(key);
      const tls = secrets.get(key);
      // Connections through a listener that is opened anew are judged as those that come through it.
      if (listener !== undefined) Object.assign(door.policy, this.policyOf(configuration, listener, access, tls));
      if (listener !== undefined && shapeOf(listener, limits) === door.shape) {
        if (tls !== undefined) useTls(door, tls);
        door.door.limits = listener;
        continue;
      }
      await close(door);
      this.open.delete(key);
      if (listener !== undefined) this.open.set(key, await this.bind(listener, tls, configuration, access));
    }
  }

  /**
   * Reads certificates, authorities and revocation lists again. Of each listener what cannot be read stays in force; an
   * expired certificate of the server must not keep a client's revocation from being noticed.
   * @returns what could not be read
   */
  async renewTls({ limits, listeners }: Configuration): Promise<unknown[]> {
    const problems: unknown[] = [];
    for (const listener of listeners.filter(isTls)) {
      const door = this.open.get(listenerKey(listener));
      if (door === undefined) continue;
      const told = this.told(listener);
      try {
        const trust = await loadTrust(listener, limits, told);
        door.policy.trust = trust.trust;
        door.policy.psk = trust.psk;
        useTls(door, await loadIdentity(listener, trust, told));
      } catch (problem) {
        problems.push(problem);
      }
    }
    return problems;
  }

  /** Puts another password file in force on the listeners as they are. */
  usePasswords(configuration: Configuration, passwords: PasswordFile): void {
    for (const listener of configuration.listeners) {
      const policy = this.open.get(listenerKey(listener))?.policy;
      if (policy) policy.authenticator = this.authenticatorOf(configuration, listener, passwords);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map(close));
    this.open.clear();
  }

  private async openMissing(
    wanted: ReadonlyMap<string, ListenerConfiguration>,
    secrets: ReadonlyMap<string, ListenerTls>,
    configuration: Configuration,
    access: Access,
  ): Promise<void> {
    const opened: [string, OpenDoor][] = [];
    try {
      for (const [key, listener] of wanted) {
        if (!this.open.has(key)) opened.push([key, await this.bind(listener, secrets.get(key), configuration, access)]);
      }
    } catch (error) {
      await Promise.all(opened.map(([, door]) => close(door)));
      throw error;
    }
    for (const [key, door] of opened) this.open.set(key, door);
  }

  private told(listener: TlsListener): RevocationEvents {
    const { audit } = this.context;
    const name = `${listener.protocol}:${listener.port}`;
    return {
      listExpired: (issuer, nextUpdate) => {
        const reason = `the list of ${issuer} ran out on ${nextUpdate.toISOString()}`;
        audit.record('tls.crl_expired', { listener: name, reason });
      },
      unanswered: (reason) => audit.record('tls.ocsp_unanswered', { listener: name, reason }),
    };
  }

  private async bind(
    configured: ListenerConfiguration,
    tls: ListenerTls | undefined,
    configuration: Configuration,
    access: Access,
  ): Promise<OpenDoor> {
    const { admission, gate, audit, refusals, logins, refuses, accepted } = this.context;
    const policy = this.policyOf(configuration, configured, access, tls);
    const door = admission.door(configured);
    const name = (): string => opened.listener?.name ?? `${configured.protocol}:${configured.port}`;
    const opened: { listener?: Listener } = {};
    const owner: ListenerOwner = {
      gate,
      admit: ({ address }, socket) => {
        if (audit.refuses) return undefined;
        if (refuses()) {
          refusals.record('limit.connections', { address, listener: name(), reason: 'overload' });
          return undefined;
        }
        if (!logins.letsIn(address, name())) return undefined;
        const admitted = admission.admit(door, address, socket, performance.now());
        if (admitted instanceof Guest) return admitted;
        refusals.record(`limit.${admitted.bound}`, { address, listener: name(), reason: reasons[admitted.of] });
        return undefined;
      },
      keyOf: (identity: string) => policy.psk?.keyOf(identity),
      accepted: (wire: Wire) => accepted(wire, policy),
      rejected: ({ remoteAddress: address, listener }: WireOrigin, reason: string) => {
        refusals.record('tls.client_rejected', { address, listener, reason });
        logins.malformed({ address, listener });
      },
      unproxied: ({ address }, reason) => refusals.record('proxy.rejected', { address, listener: name(), reason }),
    };
    const listener = await Listener.open(
      listenerOptions(configured, configuration.limits),
      owner,
      tls === undefined ? [] : materialOf(tls),
    );
    opened.listener = listener;
    const staples = startStaples(tls, []);
    return { listener, policy, door, staples, shape: shapeOf(configured, configuration.limits) };
  }

  private policyOf(
    configuration: Configuration,
    listener: ListenerConfiguration,
    access: Access,
    tls: ListenerTls | undefined,
  ): ListenerPolicy {
    return {
      trust: tls?.trust,
      psk: tls?.psk,
      authenticator: this.authenticatorOf(configuration, listener, access.passwords),
      confirm: confirmationOf(listener),
      limits: listener.limits,
      requireCertificate: 'require_certificate' in listener && listener.require_certificate,
      clientIdFrom: isTls(listener) ? certificateNameOf(listener.use_identity_as_clientid) : undefined,
    };
  }

  private authenticatorOf(
    configuration: Configuration,
    listener: ListenerConfiguration,
    passwords: PasswordFile,
  ): Authenticator {
    const { checks, invites } = this.context;
    return authenticatorWithInvites(invites, authenticatorOf(configuration, listener, passwords, checks));
  }
}

function materialOf({ certificates }: ListenerIdentity): TlsMaterial[] {
  return certificates.map(({ context, staple }) => ({
    context,
    staple: staple && (() => staple.current(Date.now())),
  }));
}

function useTls(door: OpenDoor, tls: ListenerIdentity): void {
  door.listener.useTls(materialOf(tls));
  door.staples = startStaples(tls, door.staples);
}

/** Each goes on from the one that was in its place before. */
function startStaples(tls: ListenerIdentity | undefined, before: OpenDoor['staples']): OpenDoor['staples'] {
  const staples = (tls?.certificates ?? []).map(({ staple }) => staple);
  for (const [index, staple] of staples.entries()) staple?.start(before[index]);
  for (const [index, staple] of before.entries()) if (staples[index] === undefined) staple?.stop();
  return staples;
}

function close({ listener, staples }: OpenDoor): Promise<void> {
  for (const staple of staples) staple?.stop();
  return listener.close();
}
