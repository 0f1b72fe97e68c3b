import { type CodecError, type ConnackProperties, type ConnectPacket, encode, ReasonCode } from '@moat/codec';
import type { Credentials, Verdict } from '../identity/authenticator.js';
import { nameFrom } from '../identity/certificate-name.js';
import { type CertificateStatus, noCertificate } from '../identity/client-trust.js';
import { type Principal, principalKey, principalOfKey } from '../identity/principal.js';
import { certificateTopics } from '../policy/certificate-topics.js';
import type { OpenRequest, Refusal } from '../session/registry.js';
import { neverExpires, type Session } from '../session/session.js';
import { isWillShortage } from '../session/wills.js';
import { type PreSharedKey, pskOf } from '../transport/psk.js';
import { beginExchange } from './auth.js';
import { acceptance, acceptedProperties, refuse } from './connack.js';
import type { Connection } from './connection.js';
import { endWithProof, hasEnded } from './expiry.js';
import { startKeepAlive } from './keep-alive.js';
import { judgeSubscriptions } from './rejudge.js';
import { ClientRights } from './rights.js';
import { subjectOf } from './subject-of.js';
import { TopicAliases } from './topic-aliases.js';
import { exceededBy } from './topic-limits.js';

/** CONNECT (MQTT 5.0 §3.1): who is it, may it, and which session does it get. */
export function connect(connection: Connection, packet: ConnectPacket): void {
  connection.state = 'authenticating';
  connection.v5 = packet.version === 5;
  connection.requestProblemInformation = packet.properties?.requestProblemInformation ?? true;
  connection.maximumPacketSize = packet.properties?.maximumPacketSize ?? connection.maximumPacketSize;
  const attempt = new ConnectAttempt(connection, packet);
  if (!attempt.hasUsableClientId()) return;
  attempt.begin();
}

/** A CONNECT that broke the standard, or a packet before it: answered where the version has an answer. */
export function refuseConnect(connection: Connection, { reasonCode, protocolLevel, message }: CodecError): void {
  // [MQTT-3.1.2-2] [MQTT3-3.1.2-2]
  if (protocolLevel !== undefined) refuse(connection, protocolLevel < 5 ? 4 : 5, reasonCode, message);
  else if (connection.parser.version === 5)
    refuse(connection, 5, reasonCode, message); // [MQTT-3.1.4-1]
  else connection.destroy(message); // [MQTT-3.1.0-1] [MQTT-3.1.2-1] [MQTT3-3.1.4-1] [MQTT3-3.2.2-6]
}

/** One CONNECT on its way to its CONNACK. */
class ConnectAttempt {
  private clientId: string;
  private assignedClientId: string | undefined = undefined;

  constructor(
    private readonly connection: Connection,
    private readonly packet: ConnectPacket,
  ) {
    this.clientId = packet.clientId;
  }

  /** False when it was refused: before 5.0 an empty client ID is good for a clean session at most. */
  hasUsableClientId(): boolean {
    const { packet } = this;
    if (packet.clientId !== '' || packet.version === 5) return true;
    if (packet.version === 4 && packet.cleanStart) return true;
    this.refuse(ReasonCode.clientIdentifierNotValid, 'an empty client identifier'); // [MQTT3-3.1.3-7] [MQTT3-3.1.3-8]
    return false;
  }

  /** The client ID of a client that was recognised: its own, its name, or an assigned one. False when refused. // [MQTT-3.1.3-5] */
  private settleClientId(principal: Principal): boolean {
    const { connection, packet } = this;
    const { context, listener, certificate } = connection;
    const identity = listener.clientIdFrom && certificate && nameFrom(certificate.facts, listener.clientIdFrom);
    const settled = context.clientIds.settle(this.clientId, principal, identity);
    if ('refused' in settled) {
      this.refuse(ReasonCode.clientIdentifierNotValid, settled.refused); // [MQTT-3.1.3-8]
      return false;
    }
    this.clientId = settled.clientId;
    if (packet.clientId === '') this.assignedClientId = this.clientId; // [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT3-3.1.3-6]
    return true;
  }

  /** Who has guessed too often is not judged at all; who tries a name that is being guessed at waits first. */
  begin(): void {
    const { context } = this.connection;
    const delay = context.logins.delayOf(this.origin);
    if (delay === undefined) return this.refuse(ReasonCode.banned, 'too many failures');
    if (delay === 0) return this.authenticate();
    const waited = new Promise<void>((resolve) => context.timers.after(delay, resolve));
    this.waitFor(waited, () => this.authenticate());
  }

  private authenticate(): void {
    const { connection } = this;
    const { tls } = connection.wire.origin;
    const { trust } = connection.listener;
    const status = (tls && trust?.judge(tls)) ?? noCertificate;
    if (!(status instanceof Promise)) return this.recognise(status);
    this.waitFor(status, (settled) => {
      // What is trusted may have changed while the certificate's authority was asked.
      if (connection.listener.trust === trust) this.recognise(settled);
      else this.authenticate();
    });
  }

  private recognise(status: CertificateStatus): void {
    const { connection, packet } = this;
    if (status.kind === 'invalid') return this.deny('certificate_invalid', status.reason);
    if (status.kind === 'none' && connection.listener.requireCertificate) return this.deny('certificate_required');
    if (status.kind === 'verified') connection.certificate = status.certificate;
    connection.psk = provenPsk(connection);
    const credentials: Credentials = {
      clientId: this.clientId,
      username: packet.username,
      password: packet.password,
      certificate: connection.certificate?.facts,
      pskIdentity: connection.psk?.identity,
      origin: connection.wire.origin,
      known: connection.context.logins.knows(this.origin),
      whenLeft: (left) => {
        connection.onLeft = left;
      },
    };
    const method = packet.properties?.authenticationMethod;
    if (method !== undefined) {
      connection.authenticationMethod = method;
      beginExchange(connection, method, credentials, packet.properties?.authenticationData, {
        succeeded: (step) => this.settle(connection.listener.confirm(step.principal, credentials), step.data),
        denied: (reason) => this.deny(reason),
      });
      return;
    }
    const { authenticator } = connection.listener;
    const verdict = authenticator.authenticate(credentials);
    if (!(verdict instanceof Promise)) return this.settle(verdict);
    this.waitFor(
      verdict,
      (settled) => {
        // What a yes rests on was replaced meanwhile: a changed password must not let in who had the old one.
        if ('principal' in settled && connection.listener.authenticator !== authenticator) this.authenticate();
        else this.settle(settled);
      },
      // Who does not wait for the answer has guessed all the same.
      (settled) => 'denied' in settled && settled.denied !== 'left' && this.failed(settled.denied, settled.detail),
    );
  }

  /** What a client sends before its CONNACK waits as long; `missed` is for when it has gone. // [MQTT-3.1.4-6] [MQTT3-3.1.4-5] */
  private waitFor<Result>(
    pending: Promise<Result>,
    next: (result: Result) => void,
    missed: (result: Result) => void = () => {},
  ): void {
    const { connection } = this;
    connection.hold(true);
    pending
      .then(
        (result) => connection.guarded(() => (connection.state === 'closed' ? missed : next)(result)),
        (error: unknown) => connection.fault(error),
      )
      .finally(() => connection.unhold());
  }

  private settle(verdict: Verdict, authenticationData?: Uint8Array): void {
    if ('principal' in verdict) this.accept(verdict.principal, authenticationData);
    else if ('denied' in verdict) this.deny(verdict.denied, verdict.detail);
    else this.deny('no_credentials');
  }

  private accept(principal: Principal, authenticationData: Uint8Array | undefined): void {
    const { connection, packet } = this;
    const { context } = connection;
    if (hasEnded(principal)) return this.deny('expired');
    if (!this.settleClientId(principal)) return;
    const { clientId } = this;
    const { remoteAddress, listener, tls } = connection.wire.origin;
    const entrance = { address: remoteAddress, listener, tls: tls !== undefined };
    const subject = subjectOf(principal, clientId, entrance);
    const rights = new ClientRights(context, subject);
    connection.setTerms(context.terms.ofClient(connection.listener.limits, context.policy, subject));
    rights.reportUnusableValues();
    const decision = rights.mayConnect();
    if (!decision.allowed) {
      rights.denied('connect', clientId, decision);
      const reason = connection.denial('not authorized to use this client identifier', decision);
      return this.refuse(ReasonCode.clientIdentifierNotValid, reason);
    }
    if (context.logins.isBanned(this.origin, principal.username, clientId))
      return this.refuse(ReasonCode.banned, 'banned');
    if (context.logins.flaps(this.origin, clientId, principalKey(principal)))
      return this.refuse(ReasonCode.connectionRateExceeded, 'this client identifier comes too often');
    const anonymous = principal.method === 'anonymous';
    if (anonymous && !context.admission.hasRoomForAnonymous()) return this.refuseAnonymous();
    const refusal = this.refusalOfWill(rights);
    if (refusal !== undefined) return this.refuse(...refusal);
    const expiryInterval = principal.invite === undefined ? this.expiryInterval() : 0;
    const keepAlive = this.keepAlive();
    const { assignedClientId } = this;
    const agreed = { assignedClientId, expiryInterval, keepAlive, authenticationData };
    const properties = acceptedProperties(connection, packet, agreed);
    if (!this.takes(properties)) return this.refuse(ReasonCode.implementationSpecificError, 'no room for CONNACK');
    const request: OpenRequest = {
      clientId,
      owner: principalKey(principal),
      mayTakeOver: (owner) => context.clientIds.mayTakeOver(principalOfKey(owner).username, principal.username),
      cleanStart: packet.cleanStart,
      expiryInterval,
      will: limitedWill(connection, packet), // [MQTT-3.1.2-7] [MQTT3-3.1.2-8] [MQTT3-3.1.2-12]
      limits: connection.limits,
    };
    const { registry, store } = context;
    const givingUp = registry.giveUp(request);
    if (givingUp !== undefined) {
      const { authenticator } = connection.listener;
      return this.waitFor(givingUp, (refused) => {
        if (refused !== undefined) return this.refuseSession(refused, principal);
        // All is judged anew, since anything may have changed; what proved the client cannot be asked for a second time.
        if (connection.listener.authenticator === authenticator) this.accept(principal, authenticationData);
        else this.refuse(ReasonCode.serverBusy, 'what proves clients was replaced');
      });
    }
    const before = store.staged;
    const opened = registry.open(request);
    if ('refused' in opened) return this.refuseSession(opened.refused, principal);
    const { session, present } = opened;
    if (store.staged !== before) this.holdUntilDurable(session, present);
    this.agreeOnLimits();
    this.audit('client.connected', principal.username, principal.method);
    if (!anonymous) context.logins.succeeded(this.origin);
    context.admission.finished(connection.wire.origin.admitted, anonymous ? connection : undefined);
    connection.serve({ clientId, principal, rights, session, keepAlive, since: Date.now() });
    // First of all packets, and once. // [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT3-3.2.0-1]
    connection.write(acceptance(properties, present && packet.version > 3)); // [MQTT3-3.2.2-1] [MQTT3-3.2.2-2] [MQTT3-3.2.2-3]
    startKeepAlive(connection, keepAlive);
    endWithProof(connection);
    for (const step of judgeSubscriptions(connection)) step(); // of a resumed session: the policy may have changed
    registry.attach(session, connection, rights, connection.terms);
  }

  /**
   * CONNACK says that there is a session, or none of before, and stands for the will: none of that may be otherwise after
   * a crash. So nothing leaves, and nothing more is read, before it is durable.
   */
  private holdUntilDurable(session: Session, present: boolean): void {
    const { connection } = this;
    const { registry, store } = connection.context;
    connection.outbox.hold();
    connection.hold();
    store
      .commit()
      .then(
        () => connection.outbox.unhold(),
        () => {
          if (connection.state === 'closed') return;
          connection.outbox.discard();
          connection.outbox.unhold();
          this.refuse(ReasonCode.quotaExceeded, 'the session could not be stored');
          if (!present) registry.end(session);
        },
      )
      .finally(() => connection.unhold());
  }

  /** Whether the client's Maximum Packet Size leaves room for all that CONNACK must say. // [MQTT-3.1.2-24] */
  private takes(properties: ConnackProperties | undefined): boolean {
    const most = this.packet.properties?.maximumPacketSize;
    return most === undefined || encode(acceptance(properties, false), this.packet.version).length <= most;
  }

  /** Why the will is not accepted: one that could not be published is refused now, not when it is too late. */
  private refusalOfWill(rights: ClientRights): readonly [ReasonCode, string] | undefined {
    const { will } = this.packet;
    if (will === undefined) return undefined;
    const { limits } = this.connection;
    const { limits: general, retainAvailable } = this.connection.context;
    if (will.qos > general.max_qos) return [ReasonCode.qosNotSupported, 'a will above the maximum QoS']; // [MQTT-3.2.2-12]
    if (will.retain && !retainAvailable) return [ReasonCode.retainNotSupported, 'a will to be retained']; // [MQTT-3.2.2-13]
    const beyond = exceededBy(will.topic, limits);
    if (beyond !== undefined) {
      this.connection.hit(beyond);
      this.audit('limit.wills', rights.subject.username, beyond);
      return [ReasonCode.topicNameInvalid, 'a will topic beyond the limits of this server'];
    }
    const decision = rights.mayPublish(will.topic, will.qos, will.retain, will);
    if (decision.allowed && will.topic !== certificateTopics.request) return undefined;
    rights.denied('publish', will.topic, decision);
    return [ReasonCode.notAuthorized, this.connection.denial('not authorized to publish the will', decision)];
  }

  /** Seconds that the session may outlive the connection. */
  private expiryInterval(): number {
    const { packet } = this;
    const most = this.connection.limits.max_session_expiry;
    const before = packet.cleanStart ? 0 : neverExpires; // [MQTT3-3.1.2-6]
    const wanted = packet.version === 5 ? (packet.properties?.sessionExpiryInterval ?? 0) : before;
    if (wanted > most) this.connection.hit('max_session_expiry');
    return Math.min(wanted, most);
  }

  /** Seconds; the ceiling holds for every version, and for clients that want none. // [MQTT-3.2.2-21] */
  private keepAlive(): number {
    const { keepAlive } = this.packet;
    const most = this.connection.limits.max_keepalive;
    if (most === 65_535 || (keepAlive > 0 && keepAlive <= most)) return keepAlive;
    this.connection.hit('max_keepalive');
    return most;
  }

  private agreeOnLimits(): void {
    const { connection, packet } = this;
    const { limits } = connection;
    connection.receiveMaximum = Math.min(packet.properties?.receiveMaximum ?? 65_535, limits.max_inflight_messages);
    const { topicAliasMaximum = 0 } = packet.properties ?? {};
    const most = limits.max_topic_alias_broker;
    const aliases = Math.min(topicAliasMaximum, most);
    if (aliases === 0) return; // [MQTT-3.1.2-27]
    connection.outgoingAliases = new TopicAliases(aliases, connection.context.aliases, (why) => {
      if (why === 'max_alias_bytes' || topicAliasMaximum > most) connection.hit(why);
    });
  }

  /** What is left is for those that prove who they are. */
  private refuseAnonymous(): void {
    this.audit('limit.connections', undefined, 'of anonymous clients');
    this.refuse(ReasonCode.serverBusy, 'no room for anonymous clients');
  }

  private refuseSession(why: Refusal, principal: Principal): void {
    if (why === 'not_stored') return this.refuse(ReasonCode.quotaExceeded, 'the session could not be stored');
    if (why === 'not_owner') {
      this.audit('session.theft', principal.username, 'the session belongs to another');
      return this.refuse(ReasonCode.clientIdentifierNotValid, 'not authorized to use this client identifier');
    }
    this.connection.hit(why);
    if (isWillShortage(why)) {
      this.audit('limit.wills', principal.username, why);
      return this.refuse(ReasonCode.quotaExceeded, 'too many wills, or too large');
    }
    this.audit('limit.sessions', principal.username, why);
    const { serverReference } = this.connection.context;
    if (serverReference === undefined) this.refuse(ReasonCode.quotaExceeded, 'too many sessions');
    else this.refuse(ReasonCode.useAnotherServer, 'too many sessions', serverReference);
  }

  private failed(reason: string, detail?: string): void {
    this.audit('auth.failed', this.packet.username, detail === undefined ? reason : `${reason}: ${detail}`);
    if (reason !== 'too_many_attempts' && reason !== 'expired') this.connection.context.logins.failed(this.origin);
  }

  private deny(reason: string, detail?: string): void {
    this.failed(reason, detail);
    if (reason === 'too_many_attempts')
      return this.refuse(ReasonCode.serverBusy, 'too many passwords wait to be checked');
    const credentials = reason === 'bad_password' || reason === 'no_credentials';
    this.refuse(credentials ? ReasonCode.badUserNameOrPassword : ReasonCode.notAuthorized, 'not authenticated');
  }

  private refuse(reasonCode: ReasonCode, reason: string, serverReference?: string): void {
    refuse(this.connection, this.packet.version, reasonCode, reason, serverReference);
  }

  private get origin() {
    const { remoteAddress: address, listener } = this.connection.wire.origin;
    return { address, listener, clientId: this.clientId, username: this.packet.username };
  }

  private audit(
    code: 'client.connected' | 'auth.failed' | 'session.theft' | 'limit.connections' | 'limit.sessions' | 'limit.wills',
    username: string | undefined,
    reason: string,
  ): void {
    const { address, listener, clientId } = this.origin;
    this.connection.context.audit.record(code, { address, listener, clientId, username, reason });
  }
}

function limitedWill(connection: Connection, { will }: ConnectPacket) {
  const maximumDelay = connection.limits.max_will_delay;
  const delay = will?.properties?.willDelayInterval;
  if (will === undefined || delay === undefined || delay <= maximumDelay) return will;
  connection.hit('max_will_delay');
  return { ...will, properties: { ...will.properties, willDelayInterval: maximumDelay } };
}

/** The pre-shared key that the connection rests on, if it still counts. */
function provenPsk({ wire, listener }: Connection): PreSharedKey | undefined {
  const psk = listener.psk && wire.origin.tls && pskOf(wire.origin.tls);
  return psk && listener.psk?.keyOf(psk.identity)?.equals(psk.key) ? psk : undefined;
}
