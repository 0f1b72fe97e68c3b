import { join } from 'node:path';
import { type AuthorityStore, IssueLog } from '@moat/pki';
import type { Audit, AuditCode, AuditFields } from '../audit/audit.js';
import type { Log } from '../audit/log.js';
import { FileWatch } from '../config/file-watch.js';
import type { Configuration } from '../config/schema.js';
import { type GrowingLog, LogTail } from './log-tail.js';

/** Records that are told one by one; of more, the earlier ones are told by their number. */
const mostSingly = 1_000;

/**
 * Puts what the authority issues, renews and revokes into the audit, whoever asked it: devices, `moat device`, another
 * process while the broker did not run. So a line that vanishes from one of its logs is missed there, and told.
 */
export class IssueAudit {
  private readonly tails: readonly LogTail[];
  private readonly watch: FileWatch;

  constructor(
    directory: string,
    private readonly log: IssueLog,
    private readonly audit: Audit,
    operator: Log,
  ) {
    // What was issued comes first, for nothing else is revoked.
    this.tails = [this.issued(directory), this.revoked(directory)].map((one) => new LogTail(one, operator));
    this.watch = new FileWatch(
      () => [join(directory, 'issued.jsonl'), join(directory, 'revoked.jsonl')],
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
    for (const tail of this.tails) await tail.start();
    await this.watch.start();
    await this.look();
  }

  async stop(): Promise<void> {
    this.watch.stop();
    for (const tail of this.tails) await tail.keepPosition();
  }

  private async look(): Promise<void> {
    for (const tail of this.tails) await tail.look();
  }

  private issued(directory: string): GrowingLog {
    return {
      name: 'issue log',
      position: join(directory, 'issued.audited'),
      count: () => this.log.count(),
      tell: async (from, to) => {
        const first = this.skip('cert.issued', 'certificates', from, to);
        for (const { name, kind, serialNumber, notAfter, renews } of (await this.log.list(first)).slice(
          0,
          to - first,
        )) {
          const reason = `${kind}, serial ${serialNumber}, until ${notAfter.toISOString()}`;
          this.audit.record(renews ? 'cert.renewed' : 'cert.issued', { username: name, reason });
        }
      },
      cut: (has, had) => this.cut(`the issue log has ${has} certificates, and had ${had}`),
    };
  }

  private revoked(directory: string): GrowingLog {
    return {
      name: 'revocation log',
      position: join(directory, 'revoked.audited'),
      count: () => this.log.revocationCount(),
      tell: async (from, to) => {
        const first = this.skip('cert.revocation', 'revocations', from, to);
        for (const { name, serialNumber, reason, at } of await this.log.revocations(first, to)) {
          const fields: AuditFields = { reason: `serial ${serialNumber}, ${reason}, at ${at.toISOString()}` };
          this.audit.record('cert.revocation', { username: name, ...fields });
        }
      },
      cut: (has, had) => this.cut(`the revocation log has ${has} entries, and had ${had}`),
    };
  }

  /** Tells those that are too many by their number; gives where the others begin. */
  private skip(code: AuditCode, what: string, from: number, to: number): number {
    const first = Math.max(from, to - mostSingly);
    const count = first - from;
    if (count > 0) this.audit.record(code, { reason: `${count} ${what}`, count }, count);
    return first;
  }

  private cut(reason: string): void {
    this.audit.record('cert.log_cut', { reason });
  }
}
