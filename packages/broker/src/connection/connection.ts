import {
  type AcknowledgementType,
  CodecError,
  encode,
  type Packet,
  type PacketReceiver,
  PacketType,
  Parser,
  ReasonCode,
  writeAcknowledgement,
} from '@moat/codec';
import type { AuthenticationExchange, ExchangeOutcome } from '../identity/enhanced.js';
import type { Principal } from '../identity/principal.js';
import type { Message } from '../routing/message.js';
import type { Link, OutgoingPublish } from '../session/link.js';
import type { Session } from '../session/session.js';
import { Outbox, shareFrom } from '../transport/outbox.js';
import type { Timer } from '../transport/timer-wheel.js';
import type { Wire, WireReceiver } from '../transport/wire.js';
import type { ConnectionContext, ListenerPolicy } from './context.js';
import { PendingAnswers } from './pending-answers.js';
import type { ClientRights } from './rights.js';
import type { TopicAliases } from './topic-aliases.js';

/** Bytes by which a packet may grow when it is encoded for a subscriber: flags, alias, length. */
const encodingSlack = 32;

/** What acts on the packets of a connection; the connection itself knows none of them. */
export interface PacketActions extends PacketReceiver {
  /** A CONNECT, or what came in its place, that breaks the standard. */
  refuse(error: CodecError): void;
}

/** What CONNECT settled for as long as the connection lasts. */
export interface Agreement {
  readonly clientId: string;
  readonly principal: Principal;
  readonly rights: ClientRights;
  readonly session: Session;
}

/**
 * The protocol state machine of one client: from accepted wire to its end. Each inbound packet has a file of its own
 * in this folder; what they share is here.
 *
 * ```
 *   connecting ──CONNECT──> authenticating ──CONNACK 0──> connected ──> closed
 *        └───────────────────────┴──────── fault, deadline ──────────────┘
 * ```
 *
 * Invariants: no packet is acted upon before CONNECT was accepted (invariant 4); nothing that arrives can throw out of
 * here (invariant 7); `closed` is entered once.
 */
export class Connection implements WireReceiver, Link {
  readonly parser: Parser;
  private readonly actions: PacketActions;
  readonly outbox: Outbox;
  state: 'connecting' | 'authenticating' | 'connected' | 'closed' = 'connecting';
  /** Whether the client speaks MQTT 5.0. */
  v5 = false;
  agreement: Agreement | undefined = undefined;
  /** The enhanced authentication that is under way. */
  exchange:
    | { readonly method: string; readonly steps: AuthenticationExchange; readonly outcome: ExchangeOutcome }
    | undefined = undefined;
  /** The method of CONNECT, by which the client may authenticate again. */
  authenticationMethod: string | undefined = undefined;
  receiveMaximum = 65_535;
  /** The largest packet that the client takes. */
  maximumPacketSize = 268_435_460;
  /** Whether reason strings and user properties may be sent in every packet. // [MQTT-3.1.2-29] */
  requestProblemInformation = true;
  timer: Timer | undefined = undefined;
  /** Coarse milliseconds of the last packet that arrived. */
  lastReceived: number;
  /** Aliases that the client has set. */
  incomingAliases: string[] | undefined = undefined;
  outgoingAliases: TopicAliases | undefined = undefined;
  private stuckTimer: Timer | undefined = undefined;
  private pending: PendingAnswers | undefined = undefined;
  /** Whether it stopped reading until its answers have gone. */
  private throttled = false;

  constructor(
    readonly wire: Wire,
    readonly context: ConnectionContext,
    readonly listener: ListenerPolicy,
    actionsOf: (connection: Connection) => PacketActions,
    /** Called once, when the wire has gone. */
    private readonly ended: (connection: Connection) => void,
  ) {
    this.actions = actionsOf(this);
    this.parser = new Parser(this.actions, context.parserOptions);
    this.outbox = new Outbox(wire, context.flushQueue);
    this.lastReceived = context.timers.now;
    context.counters.connectionsAccepted++;
    this.timer = context.timers.after(context.limits.connect_timeout * 1000, () => this.destroy('connect timeout'));
    wire.start(this);
  }

  // ---- from the wire

  received(buffer: Uint8Array, start: number, end: number): void {
    const { flushQueue, counters, timers } = this.context;
    this.lastReceived = timers.now;
    counters.bytesReceived += end - start;
    flushQueue.beginRead();
    try {
      this.parser.feed(buffer, start, end);
    } catch (error) {
      this.fault(error);
    }
    flushQueue.endRead();
  }

  drained(): void {
    this.outbox.drained();
    if (this.stuckTimer !== undefined && this.writable) {
      this.stuckTimer.cancel();
      this.stuckTimer = undefined;
    }
    if (this.state === 'connected') this.guarded(() => this.agreement?.session.drain());
  }

  closed(error: Error | undefined): void {
    this.finish(true, error?.message ?? 'connection closed');
    this.outbox.discard();
    this.ended(this);
  }

  // ---- towards the client

  /** Encodes and sends any packet but PUBLISH. */
  write(packet: Packet, version: 3 | 4 | 5 = this.version): void {
    let bytes = encode(packet, version);
    if (bytes.length > this.maximumPacketSize) {
      // A reason string or user property never makes a packet too large for the client. // [MQTT-3.2.2-19] [MQTT-3.2.2-20]
      bytes = encode(withoutProblemInformation(packet), version); // [MQTT-3.14.2-3] [MQTT-3.14.2-4]
      if (bytes.length > this.maximumPacketSize) return;
    }
    this.outbox.copy(bytes, 0, bytes.length);
    this.context.counters.packetsSent++;
    this.context.counters.bytesSent += bytes.length;
  }

  /** The reason in words, where operator and client want it. // [MQTT-3.1.2-29] */
  problem(reason: string): { reasonString?: string } {
    return this.requestProblemInformation && this.context.reasonStrings ? { reasonString: reason } : {};
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP with success, in four bytes. */
  writeAcknowledgement(type: AcknowledgementType, packetId: number): void {
    const offset = this.outbox.reserve(4);
    writeAcknowledgement(this.outbox.target, offset, type, packetId);
    this.context.counters.packetsSent++;
    this.context.counters.bytesSent += 4;
  }

  get version(): 3 | 4 | 5 {
    return this.parser.version === 0 ? 4 : this.parser.version;
  }

  get writable(): boolean {
    return this.outbox.waiting <= this.context.limits.max_outgoing_buffer;
  }

  /** Answers in order, and only when what they promise is durable: see {@link PendingAnswers}. */
  get answers(): PendingAnswers {
    this.pending ??= new PendingAnswers(
      this.context.store,
      (error) => this.fault(error),
      () => this.answered(),
    );
    return this.pending;
  }

  get hasPendingAnswers(): boolean {
    return this.pending?.isWaiting ?? false;
  }

  forward(message: Message): void {
    const { limits, counters, sessionCounters } = this.context;
    const { outbox } = this;
    if (outbox.waiting > limits.max_outgoing_buffer) {
      sessionCounters.dropped.slow_reader += message.count;
      this.watchStuck();
      return;
    }
    if (
      message.largest + encodingSlack > this.maximumPacketSize ||
      this.outgoingAliases !== undefined ||
      message.expires
    ) {
      this.forwardSingly(message);
      return;
    }
    const frame = message.frame(this.v5, 0);
    const length = frame.end - frame.start;
    if (length < shareFrom || message.isFirstUse()) outbox.copy(frame.bytes, frame.start, frame.end);
    else outbox.share(message.stable(frame));
    counters.messagesSent += message.count;
    counters.packetsSent += message.count;
    counters.bytesSent += length;
  }

  release(packetId: number): void {
    this.writeAcknowledgement(PacketType.PUBREL, packetId); // [MQTT-3.6.1-1]
  }

  private forwardSingly(message: Message): void {
    const options = { qos: 0, retain: false, dup: false, packetId: 0, subscriptionIdentifiers: undefined } as const;
    for (const single of message.each()) {
      if (!this.publish(single, options)) this.context.sessionCounters.dropped.too_large++;
    }
  }

  publish(message: Message, options: OutgoingPublish): boolean {
    const { qos, retain, dup, packetId, subscriptionIdentifiers } = options;
    const { counters } = this.context;
    if (qos === 0 && !this.writable) {
      this.context.sessionCounters.dropped.slow_reader += message.count;
      this.watchStuck();
      return true;
    }
    const alias = this.outgoingAliases?.assign(message.topic) ?? noAlias;
    const ordinary =
      !retain && alias.topicAlias === 0 && (!this.v5 || (subscriptionIdentifiers === undefined && !message.expires));
    const frame = ordinary
      ? message.frame(this.v5, qos)
      : message.specialFrame({ v5: this.v5, qos, retain, subscriptionIdentifiers, now: Date.now(), ...alias });
    const length = frame.end - frame.start;
    if (length > this.maximumPacketSize) {
      this.outgoingAliases?.withdraw(alias); // [MQTT-3.1.2-24]
      return false;
    }
    const offset = this.outbox.copy(frame.bytes, frame.start, frame.end);
    const { target } = this.outbox;
    if (frame.packetIdAt >= 0) {
      const at = offset + frame.packetIdAt - frame.start;
      target[at] = packetId >> 8;
      target[at + 1] = packetId & 0xff;
    }
    if (dup) target[offset] = (target[offset] as number) | 0x08;
    counters.messagesSent += message.count;
    counters.packetsSent += message.count;
    counters.bytesSent += length;
    return true;
  }

  // ---- the end

  /** A fault of the client, or of ours: the one place where an error of this connection ends. */
  fault(error: unknown): void {
    if (this.state === 'closed') return;
    const known = error instanceof CodecError;
    const fault = known ? error : new CodecError(ReasonCode.implementationSpecificError, 'internal error');
    this.context.counters.protocolErrors++;
    this.auditEvent('client.protocol_error', known ? fault.message : `internal error: ${String(error)}`);
    if (this.state !== 'connected')
      this.actions.refuse(fault); // [MQTT-3.14.0-1]
    else if (fault.clause === 'MQTT-3.14.2-1')
      this.destroy(fault.message); // a client that leaves gets no answer
    else this.close(fault.reasonCode, fault.message);
  }

  /** Stops reading and parsing until {@link unhold}: an answer is being worked out. */
  hold(): void {
    this.parser.pause();
    this.wire.pause();
  }

  unhold(): void {
    if (this.state === 'closed') return;
    const { flushQueue } = this.context;
    flushQueue.beginRead();
    this.guarded(() => this.parser.resume());
    flushQueue.endRead();
    if (!this.parser.paused) this.wire.resume();
  }

  /** Stops reading until every answer that waits for the disk has gone. */
  throttle(): void {
    this.throttled = true;
    this.hold();
  }

  private answered(): void {
    if (!this.throttled) return;
    this.throttled = false;
    this.unhold();
  }

  /** Runs what a timer or a promise started; a fault in it ends this connection only. */
  guarded(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fault(error);
    }
  }

  /** Tells the client why (5.0), and closes. // [MQTT-4.13.1-1] */
  close(reasonCode: ReasonCode, reason: string, serverReference?: string): void {
    if (this.state === 'closed') return;
    if (this.state === 'connected' && this.v5) {
      this.write({
        type: PacketType.DISCONNECT,
        reasonCode,
        properties: {
          ...this.problem(reason),
          ...(serverReference === undefined ? {} : { serverReference }),
        },
      });
    }
    this.finish(true, reason);
    this.end();
  }

  /** Sends what is waiting, then closes. What still comes is read, or the client would get a reset in place of the reason. */
  end(): void {
    this.outbox.flush();
    this.wire.resume();
    this.wire.end();
  }

  /** Closes without a word. */
  destroy(reason: string): void {
    this.finish(true, reason);
    this.wire.destroy();
  }

  /** Leaves the session and stops acting on packets; the wire is left to the caller. */
  finish(sendWill: boolean, reason: string): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.timer?.cancel();
    this.stuckTimer?.cancel();
    this.parser.close();
    const { agreement } = this;
    if (agreement === undefined) return;
    this.auditEvent('client.disconnected', reason);
    this.context.registry.disconnected(agreement.session, this, sendWill);
  }

  /** A policy has changed: subscriptions that are no longer allowed go, the others stay (invariant 4). */
  judgeSubscriptions(): void {
    const { agreement } = this;
    if (agreement === undefined || this.state !== 'connected') return;
    const { session, rights } = agreement;
    for (const { filter, qos } of [...session.subscriptions]) {
      const decision = rights.maySubscribe(filter, qos);
      if (decision.allowed) continue;
      rights.audit('subscribe', filter, decision.rule);
      session.unsubscribe(filter);
    }
  }

  /** Enters service: from here on packets are acted upon. */
  serve(agreement: Agreement): void {
    this.agreement = agreement;
    this.state = 'connected';
    this.timer?.cancel();
  }

  auditEvent(code: 'client.protocol_error' | 'client.disconnected' | 'limit.slow_reader', reason: string): void {
    const { remoteAddress, listener } = this.wire.origin;
    const { agreement } = this;
    this.context.audit.record(code, {
      address: remoteAddress,
      listener,
      clientId: agreement?.clientId,
      username: agreement?.principal.username,
      reason,
    });
  }

  /** Above the high-water mark: a reader that stays there is disconnected. */
  private watchStuck(): void {
    if (this.stuckTimer !== undefined) return;
    this.stuckTimer = this.context.timers.after(this.context.limits.stuck_timeout * 1000, () => {
      this.stuckTimer = undefined;
      if (this.writable || this.state === 'closed') return;
      this.auditEvent('limit.slow_reader', 'the client does not read');
      this.destroy('the client does not read');
    });
  }
}

const noAlias = { topicAlias: 0, aliasKnown: false };

function withoutProblemInformation(packet: Packet): Packet {
  if (!('properties' in packet) || packet.properties === undefined) return packet;
  const { reasonString: _reason, userProperties: _user, ...properties } = packet.properties as Record<string, unknown>;
  return { ...packet, properties } as Packet;
}
