import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IssueLog, type ListedCertificate } from '@moat/pki';
import type { Audit } from '../audit/audit.js';
import type { Log } from '../audit/log.js';
import { FileWatch } from '../config/file-watch.js';

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
  private readonly log: IssueLog;
  private readonly position: string;
  private readonly watch: FileWatch;
  private told = 0;

  constructor(
    directory: string,
    private readonly audit: Audit,
    private readonly operator: Log,
  ) {
    this.log = new IssueLog(directory);
    this.position = join(directory, 'issued.audited');
    this.watch = new FileWatch(
      () => [join(directory, 'issued.jsonl')],
      () => this.look(),
    );
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
      const issued = await this.log.list();
      if (issued.length === this.told) return;
      await this.keepPosition();
      this.tell(issued);
      this.told = issued.length;
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

  private tell(issued: readonly ListedCertificate[]): void {
    const { told, audit } = this;
    if (issued.length < told) {
      const reason = `the issue log has ${issued.length} certificates, and had ${told}`;
      return audit.record('cert.log_cut', { reason });
    }
    const first = Math.max(told, issued.length - mostSingly);
    if (first > told)
      audit.record('cert.issued', { reason: `${first - told} certificates`, count: first - told }, first - told);
    for (const { name, kind, serialNumber, notAfter } of issued.slice(first))
      audit.record('cert.issued', {
        username: name,
        reason: `${kind}, serial ${serialNumber}, until ${notAfter.toISOString()}`,
      });
  }
}
