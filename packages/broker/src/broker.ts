import { join } from 'node:path';
import { ReasonCode } from '@moat/codec';
import { certificateRoutes } from './admin/certificate-routes.js';
import { clientRoutes } from './admin/client-routes.js';
import { AdminServer } from './admin/http.js';
import type { AdminRoute } from './admin/route.js';
import { sessionRoutes } from './admin/session-routes.js';
import type { Status } from './admin/status.js';
import { storeRoutes } from './admin/store-routes.js';
import { SysTopics } from './admin/sys-topics.js';
import { Audit, type AuditCode, type AuditFields } from './audit/audit.js';
import type { Log } from './audit/log.js';
import { newTrafficCounters } from './audit/traffic-counters.js';
import { type Access, loadAccess, loadPasswords, loadRules, rulesFileOf } from './config/access-files.js';
import { makeDataDirectory } from './config/data-directory.js';
import { FileWatch } from './config/file-watch.js';
import { tlsFilesOf } from './config/listener-schema.js';
import type { Limits } from './config/profiles.js';
import type { Configuration } from './config/schema.js';
import { clientsOf } from './connection/clients.js';
import { Connection } from './connection/connection.js';
import { Connections } from './connection/connections.js';
import type { ConnectionContext, ListenerPolicy } from './connection/context.js';
import { Dispatch } from './connection/dispatch.js';
import { type BoundListener, Doors } from './connection/doors.js';
import { Enforcement } from './connection/enforcement.js';
import { PasswordAccess } from './connection/password-access.js';
import { ClientRights } from './connection/rights.js';
import { settingsOf } from './connection/settings.js';
import { beginShadow } from './connection/shadowing.js';
import { subjectOf } from './connection/subject-of.js';
import { Admission } from './guard/admission.js';
import type { AuthenticationMethod } from './identity/enhanced.js';
import type { PasswordFile } from './identity/password-file.js';
import { loadScramSecret } from './identity/password-verifiers.js';
import { principalOfKey } from './identity/principal.js';
import type { SealInspector } from './policy/seal.js';
import { RetainedMessages } from './routing/retained.js';
import { Router } from './routing/router.js';
import { SessionRegistry } from './session/registry.js';
import type { Session } from './session/session.js';
import { newSessionCounters } from './session/session-counters.js';
import { messageSize } from './storage/message-size.js';
import { openStore } from './storage/open-store.js';
import type { MessageRecord, Store } from './storage/store.js';
import { FlushQueue } from './transport/flush-queue.js';
import { HandshakeGate } from './transport/handshake-gate.js';
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
  private readonly connections = new Connections();
  private readonly timers = new TimerWheel();
  private readonly context: ConnectionContext;
  /** Certificates and lists that are replaced are put in force at once. */
  private readonly tlsFiles = new FileWatch(
    () => tlsFilesOf(this.configuration.listeners),
    () => this.renewTls(),
  );
  /** So is a policy that changes. */
  private readonly policyFile = new FileWatch(
    () => [rulesFileOf(this.configuration.authorization)],
    () => this.renewPolicy(),
  );
  /** And so are passwords. */
  private readonly passwordFile = new FileWatch(
    () => [this.configuration.authentication.password_file],
    () => this.renewPasswords(),
  );
  private readonly passwords: PasswordAccess;
  private readonly enforcement: Enforcement;
  private readonly sweep: NodeJS.Timeout;
  private sys: SysTopics | undefined;
  private admin: AdminServer | undefined;
  private stopping: Promise<void> | undefined;
  private changes: Promise<void> = Promise.resolve();

  private constructor(
    private configuration: Configuration,
    access: Access,
    private readonly log: Log,
    store: Store,
    secret: Buffer,
    options: BrokerOptions,
  ) {
    this.limits = { ...configuration.limits };
    const audit = new Audit((code, fields) => this.report(code, fields));
    const sessionCounters = newSessionCounters();
    const { limits } = this;
    this.passwords = new PasswordAccess(limits, access.passwords, secret, log, options.authenticationMethods);
    this.passwords.use(configuration.authentication, access.passwords, this.connections);
    const router = new Router(new RetainedMessages(limits), store);
    const registry = new SessionRegistry(
      { router, store, limits, counters: sessionCounters },
      this.timers,
      limits,
      (session, message) => {
        // Judged at CONNECT, and again now: the right may have gone meanwhile.
        const rights = session.rights ?? this.rightsOfAbsent(session);
        const decision = rights.mayPublish(message.topic, message.qos, message.retain, message);
        if (decision.allowed) router.publish(message);
        else rights.denied('publish', message.topic, decision);
      },
    );
    this.doors = new Doors({
      admission: new Admission(limits),
      gate: new HandshakeGate(limits),
      audit,
      checks: this.passwords,
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
      audit,
    };
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
    const access = await loadAccess(configuration);
    await makeDataDirectory(configuration.data_dir);
    const store = options.store ?? (await openStore(configuration.storage.engine, configuration.data_dir));
    const secret = await loadScramSecret(configuration.data_dir);
    const broker = new Broker(configuration, access, log, store, secret, options);
    try {
      await broker.restore(store);
      await broker.tlsFiles.start();
      await broker.policyFile.start();
      await broker.passwordFile.start();
      await broker.doors.apply(configuration, access);
      broker.admin = await AdminServer.start(
        { socket: join(configuration.data_dir, 'admin.sock'), http: configuration.admin.http },
        broker.adminRoutes(),
      );
    } catch (error) {
      await broker.stop();
      throw error;
    }
    broker.sys = new SysTopics(broker.context.router, () => broker.status(), configuration.sys_interval);
    log.info({ listeners: broker.listeners }, 'ready');
    return broker;
  }

  get listeners(): readonly BoundListener[] {
    return this.doors.bound;
  }

  status(): Status {
    const { registry, router, store, counters, sessionCounters, audit } = this.context;
    const { rss, heapUsed } = process.memoryUsage();
    return {
      version,
      pid: process.pid,
      uptime: (Date.now() - this.startedAt) / 1000,
      connections: registry.connected,
      connectionsMaximum: registry.mostConnected,
      sessions: registry.count,
      sessionsDisconnected: registry.count - registry.connected,
      subscriptions: router.subscriptionCount,
      retained: { messages: router.retained.count, bytes: router.retained.bytes },
      ...(store.failure === undefined ? {} : { storageFailure: store.failure.message }),
      traffic: { ...counters },
      dropped: { ...sessionCounters.dropped },
      memory: { rss, heapUsed },
      listeners: this.listeners,
      events: { ...audit.counts },
    };
  }

  /**
   * Puts another configuration in force: listeners are opened and closed one by one, keys and policy read again. What
   * cannot be read leaves everything as it was. Connections whose rights did not change stay (invariant 8).
   * @throws OperatorError, OperatorErrors
   */
  reload(configuration: Configuration): Promise<void> {
    return this.inTurn(() => this.putInForce(configuration));
  }

  /**
   * Reads certificates, authorities and revocation lists again, and ends the connections of client certificates that
   * count no more. What cannot be read stays in force, and is logged.
   */
  private renewTls(): Promise<void> {
    return this.inTurn(async () => {
      for (const problem of await this.doors.renewTls(this.configuration))
        this.log.error({ reason: String(problem) }, 'cannot read TLS files again; what was in force stays');
      const now = Date.now();
      for (const connection of [...this.connections]) connection.guarded(() => connection.judgeCertificate(now));
    });
  }

  private renewPolicy(): Promise<void> {
    return this.inTurn(async () => {
      try {
        const { authorization } = this.configuration;
        await this.enforcement.enforce(await loadRules(authorization));
        this.log.info({ file: rulesFileOf(authorization) }, 'the policy has changed');
      } catch (error) {
        this.log.error({ reason: String(error) }, 'cannot read the policy again; what was in force stays');
      }
    });
  }

  private renewPasswords(): Promise<void> {
    return this.inTurn(async () => {
      const { configuration } = this;
      try {
        const passwords = await loadPasswords(configuration.authentication);
        this.doors.usePasswords(configuration, passwords);
        this.usePasswords(configuration, passwords);
        this.log.info({ users: passwords.size }, 'the passwords have changed');
      } catch (error) {
        this.log.error({ reason: String(error) }, 'cannot read the passwords again; what was in force stays');
      }
    });
  }

  private usePasswords({ authentication }: Configuration, passwords: PasswordFile): void {
    this.passwords.use(authentication, passwords, this.connections);
    this.context.methods = this.passwords.methods();
  }

  /** One change ends before the next begins: what was read first must not be put in force last. */
  private inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.changes.then(change);
    this.changes = done.catch(() => {});
    return done;
  }

  private async putInForce(configuration: Configuration): Promise<void> {
    const access = await loadAccess(configuration);
    await this.enforcement.enforce(access.policy, {
      before: () => this.doors.apply(configuration, access),
      now: () => {
        this.configuration = configuration;
        Object.assign(this.limits, configuration.limits);
        Object.assign(this.context, settingsOf(configuration, access), { limits: this.limits });
        this.usePasswords(configuration, access.passwords);
      },
    });
    this.sys?.stop();
    this.sys = new SysTopics(this.context.router, () => this.status(), configuration.sys_interval);
    this.log.info({ listeners: this.listeners }, 'reloaded');
  }

  /** Stops accepting, tells every client, sends what is waiting, and lets go of everything. */
  stop(): Promise<void> {
    this.stopping ??= this.shutDown();
    return this.stopping;
  }

  private async shutDown(): Promise<void> {
    this.sys?.stop();
    clearInterval(this.sweep);
    this.tlsFiles.stop();
    this.policyFile.stop();
    this.passwordFile.stop();
    await this.changes;
    this.enforcement.stop();
    await this.admin?.stop();
    await this.doors.close();
    const { server_reference } = this.configuration;
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
    return [
      { method: 'GET', path: '/status', open: true, handle: () => this.status() },
      ...storeRoutes(this.context.store),
      ...sessionRoutes(this.context.registry),
      ...clientRoutes(clientsOf(this.connections, this.context.registry)),
      ...certificateRoutes({ revoked: (fingerprints) => this.endRevoked(fingerprints) }),
      {
        method: 'POST',
        path: '/policy/shadow',
        handle: ({ body }) => beginShadow(this.context, this.enforcement, body),
      },
    ];
  }

  /** First the lists, so that who is thrown out does not get in again; out they go even where those cannot be read. */
  private async endRevoked(fingerprints: ReadonlySet<string>): Promise<number> {
    const meant = [...this.connections].filter(
      ({ state, certificate }) => state !== 'closed' && certificate && fingerprints.has(certificate.facts.fingerprint),
    );
    await this.renewTls();
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
    for await (const session of store.sessions()) registry.restore(session, now);
    for await (const record of store.retained()) noteRetained(router.retained, record);
  }

  /** The store has ceased to take anything, or takes it again: then what waited for that goes on. */
  private storeChanged(failure: Error | undefined): void {
    const { audit, registry } = this.context;
    if (failure !== undefined) return audit.record('storage.failing', { reason: failure.message });
    audit.record('storage.recovered', {});
    registry.storeRecovered();
    for (const connection of this.connections) connection.deliver();
  }

  /** The rights of a client that has not come back since the broker started: those of its name, from nowhere. */
  private rightsOfAbsent({ clientId, owner }: Session): ClientRights {
    const nowhere = { address: '0.0.0.0', listener: '', tls: false };
    return new ClientRights(this.context, subjectOf(principalOfKey(owner), clientId, nowhere));
  }

  private report(code: AuditCode, fields: AuditFields): void {
    this.log[code === 'storage.failing' ? 'error' : 'info']({ event: code, ...fields }, code);
  }
}

const dispatchOf = (connection: Connection): Dispatch => new Dispatch(connection);

/** What the store has stays there: of a retained message that nobody asks for memory holds its topic. */
function noteRetained(retained: RetainedMessages, { topic, payload, properties, expiresAt }: MessageRecord): void {
  retained.note(topic, messageSize(topic, payload.length, properties), expiresAt);
}
