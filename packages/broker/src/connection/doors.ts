import type { Audit } from '../audit/audit.js';
import type { Access } from '../config/access-files.js';
import type { Listener as ListenerConfiguration } from '../config/listener-schema.js';
import type { Configuration } from '../config/schema.js';
import type { Admission, Door } from '../guard/admission.js';
import type { HandshakeGate } from '../transport/handshake-gate.js';
import { Listener } from '../transport/listener.js';
import { loadTlsMaterial } from '../transport/tls-material.js';
import type { Wire } from '../transport/wire.js';
import { authenticatorOf } from './authenticators.js';
import type { ListenerPolicy } from './context.js';
import { listenerKey, listenerOptions, shapeOf } from './listener-options.js';

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
  /** Takes in a client. */
  accepted(wire: Wire, policy: ListenerPolicy): void;
}

interface OpenDoor {
  readonly listener: Listener;
  readonly policy: ListenerPolicy;
  readonly door: Door;
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
    const materials = new Map<string, Awaited<ReturnType<typeof loadTlsMaterial>>>();
    for (const [key, listener] of wanted) {
      const { tls } = listenerOptions(listener, limits);
      if (tls !== undefined) materials.set(key, await loadTlsMaterial(tls));
    }
    await this.openMissing(wanted, configuration, access);
    for (const [key, door] of [...this.open]) {
      const listener = wanted.get(key);
      if (listener !== undefined && shapeOf(listener, limits) === door.shape) {
        const material = materials.get(key);
        if (material !== undefined) door.listener.useTls(material);
        Object.assign(door.policy, policyOf(configuration, listener, access));
        door.door.limits = listener;
        continue;
      }
      await door.listener.close();
      this.open.delete(key);
      if (listener !== undefined) this.open.set(key, await this.bind(listener, configuration, access));
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map(({ listener }) => listener.close()));
    this.open.clear();
  }

  private async openMissing(
    wanted: ReadonlyMap<string, ListenerConfiguration>,
    configuration: Configuration,
    access: Access,
  ): Promise<void> {
    const opened: [string, OpenDoor][] = [];
    try {
      for (const [key, listener] of wanted) {
        if (!this.open.has(key)) opened.push([key, await this.bind(listener, configuration, access)]);
      }
    } catch (error) {
      await Promise.all(opened.map(([, { listener }]) => listener.close()));
      throw error;
    }
    for (const [key, door] of opened) this.open.set(key, door);
  }

  private async bind(
    configured: ListenerConfiguration,
    configuration: Configuration,
    access: Access,
  ): Promise<OpenDoor> {
    const { admission, gate, audit, accepted } = this.context;
    const policy = policyOf(configuration, configured, access);
    const door = admission.door(configured);
    const listener = await Listener.open(listenerOptions(configured, configuration.limits), {
      gate,
      admit: ({ remoteAddress, listener }) => {
        if (door.admit()) return true;
        audit.record('limit.connections', { address: remoteAddress, listener });
        return false;
      },
      left: () => door.left(),
      accepted: (wire) => accepted(wire, policy),
      rejected: ({ remoteAddress, listener }, reason) =>
        audit.record('tls.client_rejected', { address: remoteAddress, listener, reason }),
    });
    return { listener, policy, door, shape: shapeOf(configured, configuration.limits) };
  }
}

function policyOf(configuration: Configuration, listener: ListenerConfiguration, access: Access): ListenerPolicy {
  return {
    authenticator: authenticatorOf(configuration, listener, access.passwords),
    requireCertificate: 'require_certificate' in listener && listener.require_certificate,
  };
}
