import type { Policy } from '../policy/compile.js';
import { inSlices } from '../policy/slices.js';
import type { Connection } from './connection.js';
import type { ConnectionContext } from './context.js';
import { rejudge } from './rejudge.js';
import { RetainedJudge } from './retained-judge.js';
import { ClientRights } from './rights.js';

/** How often the hours that rules ask for are looked at, in milliseconds. */
const tick = 1_000;

/** What else changes together with a policy. */
interface Change {
  /** Done when everything is ready; if it fails, nothing has changed. */
  before?(): Promise<void>;
  /** Done in the moment in which the policy comes into force. */
  now?(): void;
  /** Whether retained messages go with the right of who published them; left out, as it is. */
  readonly withdrawsRetained?: boolean;
}

/**
 * Puts policies in force while clients are connected, without holding them up:
 *
 * 1. what the new policy says of each client is worked out beforehand, in slices of time;
 * 2. in one moment it is in force: from then on no answer of the old one is given;
 * 3. what clients have and may no longer have is taken from them, in slices again.
 *
 * One change is finished before the next begins.
 */
export class Enforcement {
  private last: Promise<void> = Promise.resolve();
  private phase: string;
  private readonly timer: NodeJS.Timeout;
  private judge: RetainedJudge | undefined = undefined;

  constructor(
    private readonly context: ConnectionContext,
    private readonly connections: Iterable<Connection>,
  ) {
    this.phase = context.policy.phaseAt(Date.now());
    this.timer = setInterval(() => this.watchHours(), tick);
    this.timer.unref();
  }

  /** Resolves when nothing is left of the old policy. */
  enforce(policy: Policy, change: Change = {}): Promise<void> {
    return this.inTurn(() => this.replace(policy, change));
  }

  /** Asks the policy in force everything anew, as if it had just come into force. */
  again(): Promise<void> {
    return this.inTurn(() => this.replace(this.context.policy, {}));
  }

  stop(): void {
    clearInterval(this.timer);
    this.context.router.judge = undefined; // nobody is served any more
  }

  private inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.last.then(change);
    this.last = done.catch(() => {}); // the caller's to handle; the next change does not suffer
    return done;
  }

  private async replace(policy: Policy, change: Change): Promise<void> {
    const { context } = this;
    const { before, now, withdrawsRetained = context.withdrawsRetained } = change;
    const judge = withdrawsRetained ? await this.judgeOf(policy) : undefined;
    const time = Date.now();
    const generation = context.policyGeneration + 1;
    await inSlices([...context.registry.all()], ({ rights }) => {
      if (rights instanceof ClientRights) rights.prepare(policy, generation, time);
    });
    await before?.();
    now?.();
    context.policy = policy;
    context.policyGeneration = generation;
    context.terms = context.terms.renewed();
    this.phase = policy.phaseAt(time);
    context.router.forgetRoutes();
    this.judgeRetained(judge);
    await inSlices(this.steps(), ([connection, step]) => connection.guarded(step));
  }

  /** Who judges by the policy already goes on. */
  private async judgeOf(policy: Policy): Promise<RetainedJudge> {
    const { judge } = this;
    return judge?.source === policy ? judge : RetainedJudge.of(policy, this.context.audit);
  }

  /** Retained messages are judged behind everything else, and before each is delivered. */
  private judgeRetained(judge: RetainedJudge | undefined): void {
    const { router } = this.context;
    const isNew = judge !== this.judge;
    this.judge = judge;
    router.judge = judge;
    if (isNew) void judge?.judgeAll(router);
  }

  private *steps(): Generator<[Connection, () => void]> {
    for (const connection of [...this.connections]) for (const step of rejudge(connection)) yield [connection, step];
  }

  /** It has become an hour at which other rules hold. */
  private watchHours(): void {
    if (this.context.policy.phaseAt(Date.now()) !== this.phase) void this.again();
  }
}
