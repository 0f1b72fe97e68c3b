import { join } from 'node:path';
import { ReasonCode } from '@moat/codec';
import { type AuthorityStore, DeviceDesk } from '@moat/pki';
import { banRoutes } from './admin/ban-routes.js';
import { certificateRoutes } from './admin/certificate-routes.js';
import { clientRoutes } from './admin/client-routes.js';
import { AdminServer } from './admin/http.js';
import { journaled } from './admin/journaled.js';
import type { AdminRoute } from './admin/route.js';
import { sessionRoutes } from './admin/session-routes.js';
import { guardStatus, type Status } from './admin/status.js';
import { storeRoutes } from './admin/store-routes.js';
import { SysTopics } from './admin/sys-topics.js';
import { Audit } from './audit/audit.js';
import type { Journal } from './audit/journal.js';
import { keepBy, keepJournal } from './audit/keep-journal.js';
import type { Log } from './audit/log.js';
import { newTrafficCounters } from './audit/traffic-counters.js';
import { collectGarbage } from './collect-garbage.js';
import { type Access, loadAccess } from './config/access-files.js';
import { makeDataDirectory } from './config/data-directory.js';
import type { LimitHits } from './config/limit-hits.js';
import type { Limits } from './config/profiles.js';
import type { Configuration } from './config/schema.js';
import { CertificateDesk } from './connection/certificate-desk.js';
import { clientsOf } from './connection/clients.js';
import { Connection } from './connection/connection.js';
import { Connections } from './connection/connections.js';
import type { ConnectionContext, ListenerPolicy } from './connection/context.js';
import { DecisionMemory } from './connection/decision-memory.js';
import { Dispatch } from './connection/dispatch.js';
import { type BoundListener, Doors } from './connection/doors.js';
import { Enforcement } from './connection/enforcement.js';
import { Gatehouse } from './connection/gatehouse.js';
import { IssueAudit } from './connection/issue-audit.js';
import { LiveFiles } from './connection/live-files.js';
import { OverloadWatch } from './connection/overload-watch.js';
import { PasswordAccess } from './connection/password-access.js';
import { publishWill } from './connection/publish-will.js';
import { settingsOf } from './connection/settings.js';
import { beginShadow } from './connection/shadowing.js';
import { termsAway } from './connection/terms-away.js';
import { Accounts } from './guard/accounts.js';
import { Bans } from './guard/bans.js';
import type { AuthenticationMethod } from './identity/enhanced.js';
import { loadScramSecret } from './identity/password-verifiers.js';
import type { SealInspector } from './policy/seal.js';
import { RetainedMessages } from './routing/retained.js';
import { Router } from './routing/router.js';
import { KeptMessages } from './session/kept-messages.js';
import { SessionRegistry } from './session/registry.js';
import { newSessionCounters } from './session/session-counters.js';
import { openStore } from './storage/open-store.js';
import type { Store } from './storage/store.js';
import { FlushQueue } from './transport/flush-queue.js';
import { TimerWheel } from './transport/timer-wheel.js';
import type { Wire } from './transport/wire.js';
import { version } from './version.js';

/** What a broker is started with. */
export interface BrokerOptions {
  readonly configuration: Configuration;
  readonly log: Log;
  /** Methods of enhanced authentication (MQTT 5.0 §4.12); without one, clients that name it get 0x8C. */
  readonly authenticationMethods?: readonly AuthenticationMethod[];
  /** What verifies protected payloads, for rules that ask for a seal; without one such rules refuse. */
  readonly sealInspector?: SealInspector;
  /** Issues certificates to devices that ask for them; without one, nobody is answered. */
  readonly authority?: AuthorityStore;
  /** In place of the engine that the configuration names. */
  readonly store?: Store;
}

/**
 * The MQTT broker.
 *
 * ```ts
 * const configuration = withPlainListener(defaultConfiguration('./moat-data'), 1883);
 * const broker = await Broker.start({ configuration, log: pino() });
 * console.log(broker.listeners);
 * await broker.stop();
 * ```
 */
export class Broker {
  private readonly startedAt = Date.now();
  /** One object for all, changed in place by a reload. */
  private readonly limits: { -readonly [Name in keyof Limits]: Limits[Name] };
  private readonly doors: Doors;
  private readonly gatehouse: Gatehouse;
  private readonly overload: OverloadWatch;
  private readonly connections = new Connections();
  private readonly timers = new TimerWheel();
  private readonly context: ConnectionContext;
  private readonly passwords: PasswordAccess;
  private readonly enforcement: Enforcement;
  private readonly issued: IssueAudit;
  private readonly sweep: NodeJS.Timeout;
  private sys: SysTopics | undefined;
  private admin: AdminServer | undefined;
  private stopping: Promise<void> | undefined;

  private constructor(
    /** They hold the configuration that is in force. */
    private readonly files: LiveFiles,
    access: Access,
    private readonly audit: Audit,
    private readonly journal: Journal,
    log: Log,
    store: Store,
    secret: Buffer,
    bans: Bans,
    options: BrokerOptions,
  ) {
    const { configuration } = files;
    this.limits = { ...configuration.limits };
    const sessionCounters = newSessionCounters();
    const limitHits: LimitHits = {};
    const { limits } = this;
    this.passwords = new PasswordAccess(limits, access.passwords, secret, log, options.authenticationMethods);
    this.passwords.use(configuration.authentication, access.passwords, this.connections);
    this.gatehouse = new Gatehouse(limits, configuration.guard.allow, bans, audit);
    const { admission, gate, refusals, logins, unfinished, buffered, subscriptions, aliases } = this.gatehouse;
    const accounts = new Accounts();
    const router = new Router(new RetainedMessages(limits, accounts), store);
    const registry = new SessionRegistry(
      {
        router,
        store,
        kept: new KeptMessages(buffered),
        subscriptions,
        counters: sessionCounters,
        termsAway: (session) => termsAway(this.context, session),
      },
      this.timers,
      limits,
      accounts,
      (session, message) => publishWill(this.context, session, message),
    );
    this.issued = IssueAudit.of(configuration, options.authority, audit, log);
    const desk = options.authority && new DeviceDesk(options.authority);
    this.doors = new Doors({
      admission,
      gate,
      refusals,
      logins,
      refuses: () => this.overload.overload.has('refuse'),
      audit,
      checks: this.passwords,
      invites: desk?.invites,
      accepted: (wire, policy) => this.accept(wire, policy),
    });
    this.context = {
      ...settingsOf(configuration, access),
      limits,
      policyGeneration: 0,
      shadow: undefined,
      sealInspector: options.sealInspector,
      methods: this.passwords.methods(),
      registry,
      router,
      store,
      flushQueue: new FlushQueue(),
      timers: this.timers,
      counters: newTrafficCounters(),
      sessionCounters,
      limitHits,
      audit,
      certificates: desk && new CertificateDesk(desk, (name) => this.passwords.has(name)),
      slowReader: Number.POSITIVE_INFINITY,
      countsSenders: false,
      admission,
      unfinished,
      buffered,
      aliases,
      decisions: new DecisionMemory(limits, registry, limitHits),
      logins,
    };
    this.overload = new OverloadWatch(this.context, this.connections, audit);
    this.enforcement = new Enforcement(this.context, this.connections);
    store.watch((failure) => this.storeChanged(failure));
    this.sweep = setInterval(() => this.everyMinute(Date.now()), 60_000);
    this.sweep.unref();
  }

  /**
   * Reads what the configuration refers to, restores what the store holds, then binds every listener; or leaves
   * nothing behind.
   * @throws OperatorError, OperatorErrors
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { configuration, log } = options;
    const { storage, data_dir } = configuration;
    const files = new LiveFiles(configuration);
    const audit = new Audit(log);
    let broker: Broker | undefined;
    let store: Store | undefined;
    try {
      await files.watch();
      const access = await loadAccess(configuration);
      await makeDataDirectory(data_dir);
      const secret = await loadScramSecret(data_dir);
      store = options.store ?? (await openStore(storage.engine, data_dir));
      const bans = await Bans.load(join(data_dir, 'bans.json'));
      const journal = await keepJournal(audit, join(data_dir, 'audit'), configuration.audit, log);
      broker = new Broker(files, access, audit, journal, log, store, secret, bans, options);
      await broker.open(access);
    } catch (error) {
      await (broker ?? files).stop();
      if (broker === undefined) await store?.close();
      throw error;
    }
    audit.record('broker.started', { reason: version });
    log.info({ listeners: broker.listeners }, 'ready');
    return broker;
  }

  /** Restores what the store holds, and begins to serve. */
  private async open(access: Access): Promise<void> {
    const { context, connections, doors, enforcement, passwords } = this;
    const { configuration } = this.files;
    await this.restore(context.store);
    if (context.withdrawsRetained) await enforcement.again();
    await doors.apply(configuration, access);
    await this.issued.start();
    this.files.begin({ context, connections, doors, enforcement, passwords });
    this.admin = await AdminServer.start(
      { socket: join(configuration.data_dir, 'admin.sock'), http: configuration.admin.http },
      this.adminRoutes(),
    );
    this.sys = new SysTopics(context.router, () => this.status(), configuration.sys_interval);
  }

  get listeners(): readonly BoundListener[] {
    return this.doors.bound;
  }

  status(): Status {
    const { registry, router, store, counters, sessionCounters, limitHits, audit, decisions } = this.context;
    const { rss, heapUsed } = process.memoryUsage();
    return {
      version,
      pid: process.pid,
      uptime: (Date.now() - this.startedAt) / 1000,
      connections: registry.connected,
      connectionsMaximum: registry.mostConnected,
      sessions: registry.count,
      sessionsDisconnected: registry.count - registry.connected,
      wills: registry.wills.count,
      willBytes: registry.wills.bytes,
      subscriptions: router.subscriptionCount,
      retained: { messages: router.retained.count, bytes: router.retained.bytes },
      ...(store.failure === undefined ? {} : { storageFailure: store.failure.message }),
      traffic: { ...counters },
      dropped: { ...sessionCounters.dropped },
      limitHits: { ...limitHits },
      memory: { rss, heapUsed },
      listeners: this.listeners,
      guard: { ...guardStatus({ ...this.gatehouse, decisions }), overload: this.overload.status },
      events: { ...audit.counts },
    };
  }

  /**
   * Puts another configuration in force: listeners are opened and closed one by one, keys and policy read again. What
   * cannot be read leaves everything as it was. Connections whose rights did not change stay (invariant 8).
   * @throws OperatorError, OperatorErrors
   */
  reload(configuration: Configuration): Promise<void> {
    return this.files.replace(configuration, () => this.putInForce(configuration));
  }

  private async putInForce(configuration: Configuration): Promise<void> {
    const access = await loadAccess(configuration);
    await this.enforcement.enforce(access.policy, {
      withdrawsRetained: configuration.authorization.retained_after_revocation === 'withdraw',
      before: () => this.doors.apply(configuration, access),
      now: () => {
        this.files.configuration = configuration;
        Object.assign(this.limits, configuration.limits);
        this.gatehouse.allow(configuration.guard.allow);
        keepBy(this.audit, this.journal, configuration.audit);
        Object.assign(this.context, settingsOf(configuration, access), { limits: this.limits });
        this.files.usePasswords(configuration, access.passwords);
      },
    });
    this.sys?.stop();
    this.sys = new SysTopics(this.context.router, () => this.status(), configuration.sys_interval);
    this.audit.record('config.reloaded', {});
  }

  /** Stops accepting, tells every client, sends what is waiting, and lets go of everything. */
  stop(): Promise<void> {
    this.stopping ??= this.shutDown();
    return this.stopping;
  }

  private async shutDown(): Promise<void> {
    this.sys?.stop();
    await this.issued.stop();
    clearInterval(this.sweep);
    await this.files.stop();
    this.enforcement.stop();
    await this.admin?.stop();
    await this.doors.close();
    this.gatehouse.refusals.stop();
    this.overload.stop();
    const { server_reference } = this.files.configuration;
    for (const connection of this.connections) {
      if (server_reference === undefined) connection.close(ReasonCode.serverShuttingDown, 'the server shuts down');
      else connection.close(ReasonCode.useAnotherServer, 'the server shuts down', server_reference);
    }
    await this.connections.allGone(3_000);
    for (const connection of this.connections) connection.wire.destroy();
    this.timers.stop();
    await this.passwords.close();
    try {
      await this.context.store.commit();
    } finally {
      await this.context.store.close();
      this.audit.record('broker.stopped', {});
      await this.journal.close();
    }
  }

  private everyMinute(now: number): void {
    this.context.router.expireRetained(now);
    for (const connection of this.connections) {
      connection.guarded(() => connection.judgeCertificate(now));
      void connection.askAboutCertificate(now);
    }
  }

  /** What can be asked of a running broker. */
  private adminRoutes(): AdminRoute[] {
    return journaled(this.audit, [
      { method: 'GET', path: '/status', open: true, handle: () => this.status() },
      ...storeRoutes(this.context.store),
      ...sessionRoutes(this.context.registry, this.context.store),
      ...clientRoutes(clientsOf(this.connections, this.context.registry)),
      ...banRoutes({
        bans: this.gatehouse.logins.bans,
        lockOut: this.gatehouse.logins.lockOut,
        audit: this.audit,
        end: (ban) => this.connections.endBanned(ban),
      }),
      ...certificateRoutes({ revoked: (fingerprints) => this.endRevoked(fingerprints) }),
      {
        method: 'POST',
        path: '/policy/shadow',
        handle: ({ body }) => beginShadow(this.context, this.enforcement, body),
      },
    ]);
  }

  /** First the lists, so that who is thrown out does not get in again; out they go even where those cannot be read. */
  private async endRevoked(fingerprints: ReadonlySet<string>): Promise<number> {
    const meant = [...this.connections].filter(
      ({ state, certificate }) => state !== 'closed' && certificate && fingerprints.has(certificate.facts.fingerprint),
    );
    await this.files.renewTls();
    for (const connection of meant) if (connection.certificate) connection.withdraw(connection.certificate, 'revoked');
    return meant.length;
  }

  private accept(wire: Wire, policy: ListenerPolicy): void {
    const connection = new Connection(wire, this.context, policy, dispatchOf, (ended) =>
      this.connections.delete(ended),
    );
    this.connections.add(connection);
  }

  private async restore(store: Store): Promise<void> {
    const now = Date.now();
    const { registry, router } = this.context;
    // Sessions come last: they stage what has changed, and a disk that is full is no reason not to start.
    for await (const some of store.retained()) for (const record of some) router.retained.note(record);
    for await (const some of store.sessions()) for (const session of some) registry.restore(session, now);
    // What was read is twice what is kept. Nobody is served yet, so nobody waits; later it might stay for hours.
    if (registry.count + router.retained.count > manyRestored) collectGarbage();
  }

  /** The store has ceased to take anything, or takes it again: then what waited for that goes on. */
  private storeChanged(failure: Error | undefined): void {
    const { audit, registry } = this.context;
    if (failure !== undefined) return audit.record('storage.failing', { reason: failure.message });
    audit.record('storage.recovered', {});
    registry.storeRecovered();
    for (const connection of this.connections) connection.deliver();
  }
}

/** With so many sessions and retained messages restored, what that left behind is worth collecting. */
const manyRestored = 10_000;

const dispatchOf = (connection: Connection): Dispatch => new Dispatch(connection);
