import { type IncomingPublish, ReasonCode } from '@moat/codec';
import { type DeviceDesk, type GrantedCertificate, PkiError } from '@moat/pki';
import type { AuditCode } from '../audit/audit.js';
import type { Limits } from '../config/profiles.js';
import { RequestQuota } from '../guard/request-quota.js';
import type { ClientCertificate } from '../identity/client-trust.js';
import { type Principal, principalKey } from '../identity/principal.js';
import { certificateTopics } from '../policy/certificate-topics.js';
import { Message } from '../routing/message.js';

/** What a device is told: `certificate` is PEM with its chain, `error` a stable code. */
type Answer =
  | { readonly certificate: string; readonly ca: string }
  | { readonly error: string; readonly message: string };

/** The connection that asks: a connection is one. */
export interface Asker {
  readonly state: string;
  readonly agreement:
    | { readonly principal: Principal; readonly session: { isSubscribed(filter: string): boolean } }
    | undefined;
  /** Shown in the handshake, and found good. */
  readonly certificate: ClientCertificate | undefined;
  readonly wire: { readonly origin: { readonly remoteAddress: string } };
  readonly context: {
    readonly limits: Limits;
    readonly timers: { readonly now: number };
    readonly certificateRenewal: boolean;
  };
  forward(message: Message): void;
  guarded(action: () => void): void;
  auditEvent(code: AuditCode, reason: string): void;
}

/**
 * Answers requests for certificates. Who asks and for which device is decided by how the connection was proven: the
 * bearer of a certificate gets the next one of the same device, the bearer of an invite the first one of a new device.
 */
export class CertificateDesk {
  private readonly quota = new RequestQuota();
  /** Connections whose request is being worked on. */
  private readonly busy = new WeakSet<Asker>();

  constructor(
    private readonly desk: DeviceDesk,
    /** Names that a device cannot choose for itself. */
    private readonly isReserved: (name: string) => boolean,
  ) {}

  /** Takes a request; the answer follows by itself. Gives the reason code of its acknowledgement. */
  take(connection: Asker, packet: IncomingPublish): ReasonCode {
    // One that may be repeated without a word is no exchange; only the last of a run can be answered.
    if (packet.qos === 2 || packet.count > 1) return ReasonCode.implementationSpecificError;
    if (!this.mayAsk(connection)) return ReasonCode.quotaExceeded;
    const request = Buffer.from(packet.payload);
    this.busy.add(connection);
    void this.grant(connection, request)
      .then((granted) => this.granted(connection, granted))
      .catch((error: unknown) => this.refused(connection, error))
      .finally(() => this.busy.delete(connection));
    return ReasonCode.success;
  }

  private mayAsk(connection: Asker): boolean {
    const { agreement, context, wire } = connection;
    const { limits, timers } = context;
    if (agreement === undefined) return false;
    const { principal } = agreement;
    // An invite may be for many devices, which are told apart by where they are.
    const asker = principal.invite === undefined ? principalKey(principal) : wire.origin.remoteAddress;
    const { certificate_requests_per_minute: all, certificate_requests_per_client: each } = limits;
    if (!this.busy.has(connection) && this.quota.take(asker, all, each, timers.now)) return true;
    connection.auditEvent('limit.certificate_requests', 'too many requests for certificates');
    return false;
  }

  private async grant(connection: Asker, request: Buffer): Promise<GrantedCertificate> {
    const now = new Date();
    const { agreement, certificate, context } = connection;
    const invite = agreement?.principal.invite;
    if (invite !== undefined) return this.desk.enrol(invite, request, now, this.isReserved);
    if (context.certificateRenewal) return this.desk.renew(certificate?.facts.fingerprint ?? '', request, now);
    throw new PkiError('pki.unknown_certificate', 'devices do not renew certificates by themselves here');
  }

  private granted(connection: Asker, { name, certificate, serialNumber }: GrantedCertificate): void {
    const invite = connection.agreement?.principal.invite;
    const how = invite === undefined ? 'renewed' : `enrolled by the invite ${invite}`;
    connection.auditEvent('cert.granted', `${name}: ${how}, serial ${serialNumber}`);
    answer(connection, { certificate, ca: this.desk.store.trusted });
  }

  /** What a request lacks is told to whoever made it; what is wrong here is for the operator alone. */
  private refused(connection: Asker, error: unknown): void {
    connection.auditEvent('cert.request_refused', String(error));
    const known = error instanceof PkiError && error.code !== 'pki.invalid_file';
    answer(
      connection,
      known
        ? { error: error.code, message: error.message }
        : { error: 'unavailable', message: 'no certificate can be issued now' },
    );
  }
}

/** To the connection that asked, if it still lasts and has subscribed: never to another, nor later. */
function answer(connection: Asker, content: Answer): void {
  if (connection.state !== 'connected' || connection.agreement === undefined) return;
  if (!connection.agreement.session.isSubscribed(certificateTopics.answer)) return;
  const payload = Buffer.from(JSON.stringify(content));
  connection.guarded(() => connection.forward(Message.of(certificateTopics.answer, payload)));
}
