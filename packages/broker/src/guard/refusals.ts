import type { Audit, AuditCode, AuditFields } from '../audit/audit.js';
import { Repetition } from '../audit/repetition.js';

/**
 * Tells of those that were turned away, so that a flood of them costs next to nothing and fills no log: of each kind and
 * address some singly, the others by their number every ten seconds.
 */
export class Refusals {
  private readonly repetition = new Repetition();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly audit: Pick<Audit, 'record'>) {
    this.timer = setInterval(() => this.tell(), 1_000);
    this.timer.unref();
  }

  record(code: AuditCode, fields: AuditFields): void {
    if (this.repetition.isTold(code, fields.address, 1)) this.audit.record(code, fields);
  }

  stop(): void {
    clearInterval(this.timer);
    this.tell(true);
  }

  private tell(early = false): void {
    for (const { code, fields } of this.repetition.due(performance.now(), early))
      this.audit.record(code, fields, fields.count);
  }
}
