import {
  CodecError,
  type ConnackProperties,
  type ConnectPacket,
  ConnectReturnCode,
  encode,
  isValidTopicName,
  PacketType,
  ReasonCode,
} from '@moat/codec';
import type { Credentials, Verdict } from '../identity/authenticator.js';
import { certificateOf } from '../identity/certificate.js';
import { assignClientId } from '../identity/client-id.js';
import { type Principal, principalKey } from '../identity/principal.js';
import { neverExpires } from '../session/session.js';
import { beginExchange } from './auth.js';
import type { Connection } from './connection.js';
import { hasMoreLevels, isTooLong } from './publish.js';
import { ClientRights } from './rights.js';
import { TopicAliases } from './topic-aliases.js';

/** CONNECT (MQTT 5.0 §3.1): who is it, may it, and which session does it get. */
export function connect(connection: Connection, packet: ConnectPacket): void {
  connection.state = 'authenticating';
  connection.v5 = packet.version === 5;
  connection.requestProblemInformation = packet.properties?.requestProblemInformation ?? true;
  connection.maximumPacketSize = packet.properties?.maximumPacketSize ?? connection.maximumPacketSize;
  const attempt = new ConnectAttempt(connection, packet);
  if (!attempt.hasUsableClientId()) return;
  attempt.authenticate();
}

/** A CONNECT that broke the standard, or a packet before it: answered where the version has an answer. */
export function refuseConnect(connection: Connection, error: CodecError): void {
  const { reasonCode, protocolLevel } = error;
  if (reasonCode === ReasonCode.unsupportedProtocolVersion) {
    if (protocolLevel === undefined) return connection.destroy(error.message); // [MQTT-3.1.2-1]
    // [MQTT-3.1.2-2] [MQTT3-3.1.2-2]
    if (protocolLevel < 5) sendConnack(connection, 4, ConnectReturnCode.unacceptableProtocolVersion);
    else sendConnack(connection, 5, reasonCode);
  } else if (connection.parser.version === 5) sendConnack(connection, 5, reasonCode); // [MQTT-3.1.4-1]
  else return connection.destroy(error.message); // [MQTT3-3.1.4-1]
  connection.finish(false, error.message);
  connection.end();
}

/** One CONNECT on its way to its CONNACK. */
class ConnectAttempt {
  private clientId: string;
  private assigned = false;

  constructor(
    private readonly connection: Connection,
    private readonly packet: ConnectPacket,
  ) {
    this.clientId = packet.clientId;
  }

  /** Assigns one where the client brought none; false when it was refused. */
  hasUsableClientId(): boolean {
    const { connection, packet } = this;
    const { clientIdPrefixes, useUsernameAsClientId } = connection.context;
    if (useUsernameAsClientId && packet.username !== undefined) this.clientId = packet.username;
    if (this.clientId === '') {
      if (packet.version < 5 && !packet.cleanStart) {
        this.refuse(ReasonCode.clientIdentifierNotValid, 'an empty client identifier'); // [MQTT3-3.1.3-8]
        return false;
      }
      this.clientId = assignClientId(); // [MQTT-3.1.3-6] [MQTT-3.1.3-7]
      this.assigned = true;
    } else if (clientIdPrefixes.length > 0 && !clientIdPrefixes.some((prefix) => this.clientId.startsWith(prefix))) {
      this.refuse(ReasonCode.clientIdentifierNotValid, 'a client identifier without an allowed prefix');
      return false;
    }
    return true;
  }

  authenticate(): void {
    const { connection, packet } = this;
    const status = certificateOf(connection.wire.origin.tls);
    if (status.kind === 'invalid') return this.deny('certificate_invalid', status.reason);
    if (status.kind === 'none' && connection.listener.requireCertificate) return this.deny('certificate_required');
    const credentials: Credentials = {
      clientId: this.clientId,
      username: packet.username,
      password: packet.password,
      certificate: status.kind === 'verified' ? status.facts : undefined,
      origin: connection.wire.origin,
    };
    const method = packet.properties?.authenticationMethod;
    if (method !== undefined) {
      connection.authenticationMethod = method;
      beginExchange(connection, method, credentials, packet.properties?.authenticationData, {
        succeeded: (step) => this.accept(step.principal, step.data),
        denied: (reason) => this.deny(reason),
      });
      return;
    }
    const verdict = connection.listener.authenticator.authenticate(credentials);
    if (!(verdict instanceof Promise)) return this.settle(verdict);
    connection.hold(); // what a client sends before its CONNACK waits // [MQTT-3.1.4-6]
    verdict
      .then(
        (settled) => connection.guarded(() => this.settle(settled)),
        (error: unknown) => connection.fault(error),
      )
      .finally(() => connection.unhold());
  }

  private settle(verdict: Verdict): void {
    if (this.connection.state === 'closed') return;
    if ('principal' in verdict) this.accept(verdict.principal, undefined);
    else this.deny('denied' in verdict ? verdict.denied : 'no_credentials');
  }

  private accept(principal: Principal, authenticationData: Uint8Array | undefined): void {
    const { connection, packet, clientId } = this;
    const { context } = connection;
    const rights = new ClientRights(context, {
      ...principal,
      clientId,
      address: connection.wire.origin.remoteAddress,
      listener: connection.wire.origin.listener,
    });
    const decision = rights.mayConnect();
    if (!decision.allowed && !this.assigned) {
      rights.audit('connect', clientId, decision.rule);
      return this.refuse(ReasonCode.notAuthorized, 'not authorized to use this client identifier');
    }
    if (!this.willIsAllowed(rights)) return;
    const expiryInterval = this.expiryInterval();
    const opened = context.registry.open({
      clientId,
      owner: principalKey(principal),
      cleanStart: packet.cleanStart,
      expiryInterval,
    });
    if ('refused' in opened) return this.refuseSession(opened.refused, principal);
    const { session, present } = opened;
    session.will = limitedWill(packet, context.limits.max_will_delay);
    const keepAlive = this.keepAlive();
    this.agreeOnLimits();
    this.audit('client.connected', principal.username, principal.method);
    connection.serve({ clientId, principal, rights, session, keepAlive });
    this.sendAccepted(present, expiryInterval, keepAlive, authenticationData);
    context.registry.attach(session, connection, rights);
  }

  /** A will that could not be published is refused now, not when it is too late. */
  private willIsAllowed(rights: ClientRights): boolean {
    const { will } = this.packet;
    if (will === undefined) return true;
    const { max_topic_length, max_topic_levels } = this.connection.context.limits;
    if (
      !isValidTopicName(will.topic) ||
      isTooLong(will.topic, max_topic_length) ||
      hasMoreLevels(will.topic, max_topic_levels)
    ) {
      this.refuse(ReasonCode.topicNameInvalid, 'the will topic is not accepted');
      return false;
    }
    if (rights.mayPublish(will.topic, will.qos, will.retain)) return true;
    this.refuse(ReasonCode.notAuthorized, 'not authorized to publish the will');
    return false;
  }

  /** Seconds that the session may outlive the connection. */
  private expiryInterval(): number {
    const { packet } = this;
    const most = this.connection.context.limits.max_session_expiry;
    if (packet.version === 5) return Math.min(packet.properties?.sessionExpiryInterval ?? 0, most);
    return packet.cleanStart ? 0 : Math.min(neverExpires, most); // [MQTT3-3.1.2-6]
  }

  /** Seconds; the ceiling holds for every version, and for clients that want none. // [MQTT-3.2.2-21] */
  private keepAlive(): number {
    const { keepAlive } = this.packet;
    const most = this.connection.context.limits.max_keepalive;
    if (most === 65_535) return keepAlive;
    return keepAlive === 0 || keepAlive > most ? most : keepAlive;
  }

  private agreeOnLimits(): void {
    const { connection, packet } = this;
    const { limits } = connection.context;
    connection.receiveMaximum = Math.min(packet.properties?.receiveMaximum ?? 65_535, limits.max_inflight_messages);
    const aliases = Math.min(packet.properties?.topicAliasMaximum ?? 0, limits.max_topic_alias_broker);
    if (aliases > 0) connection.outgoingAliases = new TopicAliases(aliases); // [MQTT-3.1.2-27]
  }

  private sendAccepted(
    sessionPresent: boolean,
    expiryInterval: number,
    keepAlive: number,
    authenticationData: Uint8Array | undefined,
  ): void {
    const { connection, packet } = this;
    const { limits, responseInformation } = connection.context;
    if (packet.version < 5) {
      // [MQTT3-3.2.2-1] [MQTT3-3.2.2-2] [MQTT3-3.2.2-3]
      connection.write({ type: PacketType.CONNACK, sessionPresent, reasonCode: ConnectReturnCode.accepted });
      return;
    }
    const wantedExpiry = packet.properties?.sessionExpiryInterval ?? 0;
    const properties: ConnackProperties = {
      ...(limits.max_topic_alias > 0 ? { topicAliasMaximum: limits.max_topic_alias } : {}),
      ...(limits.max_packet_size < 268_435_460 ? { maximumPacketSize: limits.max_packet_size } : {}),
      ...(limits.receive_maximum < 65_535 ? { receiveMaximum: limits.receive_maximum } : {}),
      ...(expiryInterval === wantedExpiry ? {} : { sessionExpiryInterval: expiryInterval }),
      ...(this.assigned ? { assignedClientIdentifier: this.clientId } : {}), // [MQTT-3.2.2-16]
      ...(keepAlive === packet.keepAlive ? {} : { serverKeepAlive: keepAlive }),
      ...(packet.properties?.requestResponseInformation && responseInformation !== undefined
        ? { responseInformation } // [MQTT-3.1.2-28]
        : {}),
      ...(connection.authenticationMethod === undefined
        ? {}
        : { authenticationMethod: connection.authenticationMethod }),
      ...(authenticationData === undefined ? {} : { authenticationData }),
    };
    connection.write({ type: PacketType.CONNACK, sessionPresent, reasonCode: ReasonCode.success, properties }); // [MQTT-3.1.4-5]
  }

  private refuseSession(why: 'not_owner' | 'too_many_sessions', principal: Principal): void {
    if (why === 'not_owner') {
      this.audit('session.theft', principal.username, 'the session belongs to another');
      return this.refuse(ReasonCode.notAuthorized, 'not authorized to use this client identifier');
    }
    this.audit('limit.sessions', principal.username, why);
    const { serverReference } = this.connection.context;
    if (serverReference === undefined) this.refuse(ReasonCode.quotaExceeded, 'too many sessions');
    else this.refuse(ReasonCode.useAnotherServer, 'too many sessions', serverReference);
  }

  private deny(reason: string, detail?: string): void {
    this.audit('auth.failed', this.packet.username, detail === undefined ? reason : `${reason}: ${detail}`);
    const credentials = reason === 'bad_password' || reason === 'no_credentials';
    this.refuse(credentials ? ReasonCode.badUserNameOrPassword : ReasonCode.notAuthorized, 'not authenticated');
  }

  /** CONNACK with the reason, then the end. // [MQTT-3.2.2-7] [MQTT-3.1.4-2] */
  private refuse(reasonCode: ReasonCode, reason: string, serverReference?: string): void {
    const { connection, packet } = this;
    connection.context.counters.connectsRefused++;
    if (packet.version === 5) {
      const properties = {
        ...connection.problem(reason),
        ...(serverReference === undefined ? {} : { serverReference }),
      };
      sendConnack(connection, 5, reasonCode, properties);
    } else sendConnack(connection, packet.version, returnCodeOf(reasonCode));
    connection.finish(false, reason);
    connection.end();
  }

  private audit(
    code: 'client.connected' | 'auth.failed' | 'session.theft' | 'limit.sessions',
    username: string | undefined,
    reason: string,
  ): void {
    const { remoteAddress, listener } = this.connection.wire.origin;
    const { clientId } = this;
    this.connection.context.audit.record(code, { address: remoteAddress, listener, clientId, username, reason });
  }
}

function sendConnack(
  connection: Connection,
  version: 3 | 4 | 5,
  reasonCode: ReasonCode | ConnectReturnCode,
  properties?: ConnackProperties,
): void {
  const hasProperties = properties !== undefined && Object.keys(properties).length > 0;
  const packet = { type: PacketType.CONNACK, sessionPresent: false, reasonCode, ...(hasProperties ? { properties } : {}) };
  const bytes = encode(packet, version); // [MQTT-3.2.2-6]
  connection.outbox.copy(bytes, 0, bytes.length);
  connection.context.counters.bytesSent += bytes.length;
  connection.context.counters.packetsSent++;
}

/** The return codes that 3.1 and 3.1.1 have (3.1.1 §3.2.2.3). */
function returnCodeOf(reasonCode: ReasonCode): ConnectReturnCode {
  switch (reasonCode) {
    case ReasonCode.clientIdentifierNotValid:
      return ConnectReturnCode.identifierRejected;
    case ReasonCode.serverUnavailable:
    case ReasonCode.quotaExceeded:
    case ReasonCode.useAnotherServer:
      return ConnectReturnCode.serverUnavailable;
    case ReasonCode.badUserNameOrPassword:
      return ConnectReturnCode.badUserNameOrPassword;
    default:
      return ConnectReturnCode.notAuthorized;
  }
}

function limitedWill({ will }: ConnectPacket, maximumDelay: number) {
  const delay = will?.properties?.willDelayInterval;
  if (will === undefined || delay === undefined || delay <= maximumDelay) return will;
  return { ...will, properties: { ...will.properties, willDelayInterval: maximumDelay } };
}
