import { loadPasswords, loadPolicyOf, rulesFileOf } from '../config/access-files.js';
import { FileWatch } from '../config/file-watch.js';
import { tlsFilesOf } from '../config/listener-schema.js';
import type { Configuration } from '../config/schema.js';
import type { PasswordFile } from '../identity/password-file.js';
import type { Connections } from './connections.js';
import type { ConnectionContext } from './context.js';
import type { Doors } from './doors.js';
import type { Enforcement } from './enforcement.js';
import type { PasswordAccess } from './password-access.js';

/** What changed files are put in force in. */
export interface LiveParts {
  readonly context: ConnectionContext;
  readonly connections: Connections;
  readonly doors: Doors;
  readonly enforcement: Enforcement;
  readonly passwords: PasswordAccess;
}

/** Files of one kind, and what notices when they change. */
interface Watched {
  filesOf(configuration: Configuration): readonly string[];
  readonly watch: FileWatch;
}

/**
 * The files that a configuration names, put in force when they change: certificates and revocation lists, the policy,
 * passwords. What cannot be read leaves what was in force, and is logged.
 *
 * Invariants: a change made while the broker starts is put in force as soon as it serves; one change ends before the
 * next begins, so that what was read first is not put in force last.
 */
export class LiveFiles {
  private readonly watched: readonly Watched[];
  private parts: LiveParts | undefined = undefined;
  private begun: (parts: LiveParts) => void = () => {};
  private changes: Promise<unknown> = new Promise<LiveParts>((resolve) => {
    this.begun = resolve;
  });

  constructor(
    /** The one in force. */
    public configuration: Configuration,
  ) {
    const renewedBy = (filesOf: Watched['filesOf'], renew: () => Promise<void>): Watched => {
      const files = (): readonly string[] => filesOf(this.configuration);
      const inTurn = (change: () => Promise<void>): Promise<void> => this.inTurn(change);
      return { filesOf, watch: new FileWatch(files, renew, { inTurn }) };
    };
    this.watched = [
      renewedBy(
        ({ listeners }) => tlsFilesOf(listeners),
        () => this.readTls(),
      ),
      renewedBy(
        ({ authorization }) => [rulesFileOf(authorization)],
        () => this.readPolicy(),
      ),
      renewedBy(
        ({ authentication }) => [authentication.password_file],
        () => this.readPasswords(),
      ),
    ];
  }

  /** To be called before any of the files is read. */
  async watch(): Promise<void> {
    for (const { watch } of this.watched) await watch.start();
  }

  /** From here on there is something to put changes in force in. */
  begin(parts: LiveParts): void {
    this.parts = parts;
    this.begun(parts);
  }

  /** Watches no more; resolves when the change that is under way is over. */
  async stop(): Promise<void> {
    for (const { watch } of this.watched) watch.stop();
    if (this.parts !== undefined) await this.changes;
  }

  /** Puts another configuration in force, which has all its files read; they are not read again for having changed. */
  replace(configuration: Configuration, putInForce: () => Promise<void>): Promise<void> {
    return this.inTurn(async () => {
      const seen = await Promise.all(
        this.watched.map(async ({ watch, filesOf }) => [watch, await watch.look(filesOf(configuration))] as const),
      );
      await putInForce();
      for (const [watch, found] of seen) watch.know(found);
    });
  }

  /**
   * Reads certificates, authorities and revocation lists again, and ends the connections of client certificates that
   * count no more.
   */
  renewTls(): Promise<void> {
    return this.inTurn(() => this.readTls());
  }

  /** Puts passwords in force for those who come and those who are there. */
  usePasswords({ authentication }: Configuration, file: PasswordFile): void {
    const { passwords, context, connections } = this.parts as LiveParts;
    passwords.use(authentication, file, connections);
    context.methods = passwords.methods();
  }

  /** Makes a change behind those that are under way. */
  private inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.changes.then(change);
    this.changes = done.catch(() => {});
    return done;
  }

  private async readTls(): Promise<void> {
    const { context, doors, connections } = this.parts as LiveParts;
    const problems = await doors.renewTls(this.configuration);
    for (const problem of problems) context.audit.record('tls.refused', { reason: stays(problem) });
    if (problems.length === 0) context.audit.record('tls.reloaded', {});
    const now = Date.now();
    for (const connection of [...connections]) connection.guarded(() => connection.judgeCertificate(now));
  }

  private async readPolicy(): Promise<void> {
    const { context, enforcement } = this.parts as LiveParts;
    try {
      await enforcement.enforce(await loadPolicyOf(this.configuration));
      context.audit.record('policy.reloaded', { reason: rulesFileOf(this.configuration.authorization) });
    } catch (error) {
      context.audit.record('policy.refused', { reason: stays(error) });
    }
  }

  private async readPasswords(): Promise<void> {
    const { context, doors } = this.parts as LiveParts;
    const { configuration } = this;
    try {
      const passwords = await loadPasswords(configuration);
      doors.usePasswords(configuration, passwords);
      this.usePasswords(configuration, passwords);
      context.audit.record('passwords.reloaded', { reason: `${passwords.size} users` });
    } catch (error) {
      context.audit.record('passwords.refused', { reason: stays(error) });
    }
  }
}

function stays(problem: unknown): string {
  return `what was in force stays: ${String(problem)}`;
}
