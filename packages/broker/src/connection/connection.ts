import { inspect } from 'node:util';
import { CodecError, type PacketReceiver, PacketType, Parser, ReasonCode } from '@moat/codec';
import type { AuditCode } from '../audit/audit.js';
import { hit } from '../config/limit-hits.js';
import type { ClientLimits, LimitName } from '../config/profiles.js';
import { type CertificateProblem, type ClientCertificate, inWords } from '../identity/client-trust.js';
import type { AuthenticationExchange, ExchangeOutcome } from '../identity/enhanced.js';
import type { Link } from '../session/link.js';
import type { PreSharedKey } from '../transport/psk.js';
import type { Timer } from '../transport/timer-wheel.js';
import type { Wire, WireReceiver } from '../transport/wire.js';
import type { Agreement } from './agreement.js';
import type { ConnectionContext, ListenerPolicy } from './context.js';
import type { IncomingAliases } from './incoming-aliases.js';
import { limitOf } from './limit-exceeded.js';
import { charge, type Meter } from './meter.js';
import { Outbound } from './outbound.js';
import { PendingAnswers } from './pending-answers.js';
import type { ClientTerms } from './terms.js';
import { beginWork, endWork } from './turn-share.js';
import { UnfinishedMemory } from './unfinished-memory.js';

/** What acts on the packets of a connection; the connection itself knows none of them. */
export interface PacketActions extends PacketReceiver {
  /** A CONNECT, or what came in its place, that breaks the standard. */
  refuse(error: CodecError): void;
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
export class Connection extends Outbound implements WireReceiver, Link {
  // What each message looks at stands together: with hundreds of clients, none of it is in a cache.
  readonly parser: Parser;
  state: 'connecting' | 'authenticating' | 'connected' | 'closed' = 'connecting';
  agreement: Agreement | undefined = undefined;
  /** Of its listener, until CONNECT tells what roles the client has. */
  terms: ClientTerms;
  /** Coarse milliseconds of the last whole packet: a trickle of bytes keeps nobody alive. */
  lastReceived = 0;
  /** Messages published, and filters asked for, that have yet to be charged. */
  published = 0;
  subscribed = 0;
  /** Bytes received since it was last looked at who sends most, where that is counted. */
  bytesSince = 0;
  /** For how many reasons nothing is read. */
  private holds = 0;

  private readonly actions: PacketActions;
  /** The enhanced authentication that is under way. */
  exchange:
    | { readonly method: string; readonly steps: AuthenticationExchange; readonly outcome: ExchangeOutcome }
    | undefined = undefined;
  /** The method of CONNECT, by which the client may authenticate again. */
  authenticationMethod: string | undefined = undefined;
  /** What the client showed in the handshake, found good at CONNECT; judged again whenever what is trusted changes. */
  certificate: ClientCertificate | undefined = undefined;
  /** The pre-shared key that the connection rests on. */
  psk: PreSharedKey | undefined = undefined;
  /** When that certificate, or one above it, runs out. */
  private certificateTimer: Timer | undefined = undefined;
  /** Until what proved the principal ends. */
  proofTimer: Timer | undefined = undefined;
  receiveMaximum = 65_535;
  timer: Timer | undefined = undefined;
  /** Aliases that the client has set. */
  incomingAliases: IncomingAliases | undefined = undefined;
  worked = 0;
  place = -1;
  onLeft: (() => void) | undefined = undefined;
  meter: Meter | undefined = undefined;
  private readonly unfinished: UnfinishedMemory;
  private pending: PendingAnswers | undefined = undefined;
  /** Whether it stopped reading until its answers have gone. */
  private throttled = false;
  /** Whether it stopped reading until the client has read. */
  private choked = false;

  constructor(
    wire: Wire,
    context: ConnectionContext,
    readonly listener: ListenerPolicy,
    actionsOf: (connection: Connection) => PacketActions,
    /** Called once, when the wire has gone. */
    private readonly ended: (connection: Connection) => void,
  ) {
    super(wire, context);
    this.actions = actionsOf(this);
    this.terms = context.terms.of(listener.limits);
    this.unfinished = new UnfinishedMemory(this, context.unfinished);
    this.parser = new Parser(this.actions, this.terms.parserOptions, this.unfinished);
    this.lastReceived = context.timers.now;
    context.counters.connectionsAccepted++;
    this.timer = context.timers.after(context.limits.connect_timeout * 1000, () => this.destroy('connect timeout'));
    wire.start(this);
  }

  /** Whether it has proven who it is. */
  get isProven(): boolean {
    return this.agreement !== undefined && this.agreement.principal.method !== 'anonymous';
  }

  /** As they hold for this client. */
  get limits(): ClientLimits {
    return this.terms.limits;
  }

  /** One of them was met. */
  hit(name: LimitName): void {
    hit(this.context.limitHits, name);
  }

  quotaMet(): void {
    if (this.receiveMaximum >= this.limits.max_inflight_messages) this.hit('max_inflight_messages');
  }

  /** Has the limits of its listener and of the roles that it is given. */
  setTerms(terms: ClientTerms): void {
    this.terms = terms;
    this.parser.options = terms.parserOptions;
    if (this.agreement !== undefined) this.agreement.session.terms = terms;
  }

  // ---- from the wire

  received(buffer: Uint8Array, start: number, end: number): void {
    const { flushQueue, counters, countsSenders } = this.context;
    counters.bytesReceived += end - start;
    if (countsSenders) this.bytesSince += end - start;
    const began = beginWork(end - start);
    flushQueue.beginRead();
    try {
      this.parser.feed(buffer, start, end);
    } catch (error) {
      this.fault(error);
    }
    flushQueue.endRead();
    if (this.published + this.subscribed > 0) charge(this, end - start);
    if (this.hasWritten) this.chokeUnlessRead();
    if (this.holds > 0 && this.parser.buffered > 0) this.wire.pause();
    endWork(this, began);
  }

  drained(): void {
    this.outbox.drained();
    if (this.writable) this.relieved();
    if (this.choked && this.writable) {
      this.choked = false;
      this.readOn();
    }
    this.deliver();
  }

  /** Sends on what waits in the session: something that was in its way has gone. */
  deliver(): void {
    if (this.state === 'connected') this.guarded(() => this.agreement?.session.drain());
  }

  closed(error: Error | undefined): void {
    this.finish(true, error?.message ?? 'connection closed');
    this.outbox.closed();
    this.unfinished.end();
    this.ended(this);
  }

  keeps(bytes: number): void {
    if (this.state !== 'closed') this.unfinished.keeps(bytes);
  }

  // ---- answers

  get version(): 3 | 4 | 5 {
    return this.parser.version === 0 ? 4 : this.parser.version;
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

  // ---- the end

  /** A fault of the client, or of ours: the one place where an error of this connection ends. // [MQTT3-4.8.0-1] [MQTT3-4.8.0-2] */
  fault(error: unknown): void {
    if (this.state === 'closed') return;
    const known = error instanceof CodecError;
    const fault = known ? error : new CodecError(ReasonCode.implementationSpecificError, 'internal error');
    if (known) {
      this.context.counters.protocolErrors++;
      const limit = limitOf(fault);
      if (limit !== undefined) this.hit(limit);
      this.auditEvent('client.protocol_error', fault.message);
      // Of a client that has proven who it is, it is a fault of its program: its neighbours are not to suffer.
      const { remoteAddress: address, listener } = this.wire.origin;
      if (!this.isProven) this.context.logins.malformed({ address, listener });
    } else this.auditEvent('broker.fault', inspect(error));
    if (this.state !== 'connected')
      this.actions.refuse(fault); // [MQTT-3.14.0-1]
    else if (fault.clause === 'MQTT-3.14.2-1')
      this.destroy(fault.message); // a client that leaves gets no answer
    else this.close(fault.reasonCode, fault.message);
  }

  /** What does not read its answers is not read from either: nothing that a client sends grows the outbox without bound. */
  private chokeUnlessRead(): void {
    this.hasWritten = false;
    if (this.writable || this.choked || this.state === 'closed') return;
    this.choked = true;
    this.wire.pause();
    this.watchStuck();
  }

  private readOn(): void {
    if (!this.choked && !this.parser.paused) this.wire.resume();
  }

  /** Stops parsing, and reading, until as many {@link unhold}; one that listens reads on until more has come, and hears the client go. */
  hold(listens = false): void {
    this.holds++;
    this.parser.pause();
    if (!listens) this.wire.pause();
  }

  unhold(): void {
    if (--this.holds > 0 || this.state === 'closed') return;
    const { flushQueue } = this.context;
    flushQueue.beginRead();
    this.guarded(() => this.parser.resume());
    flushQueue.endRead();
    this.readOn();
  }

  /** Stops reading until every answer that waits for the disk has gone. */
  throttle(): void {
    if (this.throttled) return;
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

  /** Tells the client why (5.0), and closes, whether that reaches it or not. // [MQTT-4.13.1-1] [MQTT-4.13.2-1] */
  close(reasonCode: ReasonCode, reason: string, serverReference?: string): void {
    if (this.state === 'closed') return;
    if (reasonCode === ReasonCode.sessionTakenOver) this.auditEvent('session.taken_over', reason);
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
  end(peerLeaves = false): void {
    this.outbox.finish();
    this.wire.resume();
    this.wire.end(peerLeaves);
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
    this.onLeft?.();
    this.timer?.cancel();
    this.certificateTimer?.cancel();
    this.proofTimer?.cancel();
    this.relieved();
    this.parser.close();
    this.incomingAliases?.end();
    this.incomingAliases = undefined;
    this.outgoingAliases?.end();
    this.outgoingAliases = undefined;
    const { agreement } = this;
    if (agreement === undefined) return;
    agreement.rights.end();
    this.auditEvent('client.disconnected', reason);
    this.context.registry.disconnected(agreement.session, this, sendWill);
  }

  /** What is trusted has changed: a certificate that is good no more ends its connection, however far that has got. */
  judgeCertificate(now: number): void {
    const { certificate, listener } = this;
    const problem = certificate && listener.trust?.problemSince(certificate, now);
    if (certificate !== undefined && problem !== undefined) this.withdraw(certificate, problem);
    this.judgePsk();
  }

  private judgePsk(): void {
    const { psk, listener, state } = this;
    if (psk === undefined || state === 'closed' || listener.psk?.keyOf(psk.identity)?.equals(psk.key)) return;
    this.auditEvent('psk.withdrawn', `the key of ${psk.identity} was changed or removed`);
    this.close(ReasonCode.notAuthorized, 'the pre-shared key counts no more');
  }

  /** The answer about a certificate runs out, and its authority may have changed its mind. */
  async askAboutCertificate(now: number): Promise<void> {
    const { certificate, listener } = this;
    if (certificate === undefined || !(await listener.trust?.isRevokedBy(certificate, now))) return;
    this.withdraw(certificate, 'revoked');
  }

  /** A certificate of this connection counts no more. */
  withdraw(certificate: ClientCertificate, problem: CertificateProblem): void {
    if (this.state === 'closed') return;
    this.auditEvent(`cert.${problem}`, inWords(certificate));
    this.close(ReasonCode.notAuthorized, `the certificate is ${problem}`);
  }

  /** Enters service: from here on packets are acted upon. */
  serve(agreement: Agreement): void {
    const { certificate, context } = this;
    if (certificate !== undefined) {
      const left = certificate.path.validTo - Date.now();
      this.certificateTimer = context.timers.after(left, () => this.judgeCertificate(Date.now()));
    }
    this.agreement = agreement;
    this.state = 'connected';
    this.timer?.cancel();
  }

  /** Its slot is needed, and nothing proves who it is. */
  makeRoom(): void {
    this.close(ReasonCode.serverBusy, 'its slot is needed');
  }

  auditEvent(code: AuditCode, reason: string, topic?: string): void {
    const { remoteAddress, listener } = this.wire.origin;
    const { agreement } = this;
    this.context.audit.record(code, {
      address: remoteAddress,
      listener,
      clientId: agreement?.clientId,
      username: agreement?.principal.username,
      reason,
      topic,
    });
  }

  protected stuck(): void {
    if (this.state === 'closed') return;
    this.auditEvent('limit.slow_reader', 'the client does not read');
    this.destroy('the client does not read');
  }
}
