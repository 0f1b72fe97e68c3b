import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuthorityStore, IssueLog } from '@moat/pki';
import type { Audit } from '../audit/audit.js';
import type { Log } from '../audit/log.js';
import { FileWatch } from '../config/file-watch.js';
import type { Configuration } from '../config/schema.js';

/** Certificates that are told one by one; of more, the earlier ones are told by their number. */
const mostSingly = 1_000;

/**
 * Puts what the authority issues into the audit, whoever asked it: devices, `moat device add`, another process while the
 * broker did not run. So a line that vanishes from the issue log is missed there, and told.
 *
 * How far it has got is in a file beside the log, which lags until the next one is told: a crash may tell certificates
 * again, with the same serial numbers, and leaves none out.
 */
export class IssueAudit {
  private readonly position: string;
  private readonly watch: FileWatch;
  private told = 0;

  constructor(
    directory: string,
    private readonly log: IssueLog,
    private readonly audit: Audit,
    private readonly operator: Log,
  ) {
    this.position = join(directory, 'issued.audited');
    this.watch = new FileWatch(
      () => [join(directory, 'issued.jsonl')],
      () => this.look(),
    );
  }

  /** Of this authority, or else of the one in the data directory, whose key need not be at hand. */
  static of(
    { data_dir }: Configuration,
    authority: Pick<AuthorityStore, 'directory' | 'log'> | undefined,
    audit: Audit,
    operator: Log,
  ): IssueAudit {
    const directory = authority?.directory ?? join(data_dir, 'pki');
    return new IssueAudit(directory, authority?.log ?? new IssueLog(directory), audit, operator);
  }

  async start(): Promise<void> {
    this.told = Number.parseInt(await readFile(this.position, 'utf8').catch(() => '0'), 10) || 0;
    await this.watch.start();
    await this.look();
  }

  async stop(): Promise<void> {
    this.watch.stop();
    await this.keepPosition();
  }

  private async look(): Promise<void> {
    try {
      const count = await this.log.count();
      if (count === this.told) return;
      await this.keepPosition();
      await this.tell(count);
      this.told = count;
    } catch (error) {
      // Without an authority of its own a broker has nothing to tell.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.operator.error({ reason: String(error) }, 'cannot read what was issued');
    }
  }

  private async keepPosition(): Promise<void> {
    if (this.told === 0) return;
    await writeFile(this.position, `${this.told}\n`, { mode: 0o600 }).catch((error: Error) => {
      this.operator.warn({ reason: error.message }, 'cannot note how much of what was issued is in the audit');
    });
  }

  private async tell(count: number): Promise<void> {
    const { told, audit } = this;
    if (count < told) {
      audit.record('cert.log_cut', { reason: `the issue log has ${count} certificates, and had ${told}` });
      return;
    }
    const first = Math.max(told, count - mostSingly);
    const earlier = first - told;
    const certificates = (await this.log.list(first)).slice(0, count - first);
    if (earlier > 0) audit.record('cert.issued', { reason: `${earlier} certificates`, count: earlier }, earlier);
    for (const { name, kind, serialNumber, notAfter } of certificates) {
      const reason = `${kind}, serial ${serialNumber}, until ${notAfter.toISOString()}`;
      audit.record('cert.issued', { username: name, reason });
    }
  }
}
