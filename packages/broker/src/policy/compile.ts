import type { Setting } from './conditions.js';
import { BoundPolicy } from './decide.js';
import type { Subject } from './facts.js';
import { Clock, isWithin, minutesOfDay, type Window } from './hours.js';
import type { Effect, PolicyText, Rule } from './rule.js';
import { RuleSet } from './rule-set.js';
import type { Texts } from './rule-tree.js';
import { inSlices } from './slices.js';
import { isEverybody } from './subject.js';
import { SubjectIndex } from './subject-index.js';

/** More kinds of client than any sensible policy tells apart. */
const maxKinds = 1_024;

const nothing: PolicyText = { rules: [], groups: [], roles: [], timeZone: 'UTC' };

/** A whole policy. It never changes: a new one takes its place. */
export class Policy {
  readonly text: PolicyText;
  /** What happens to what no rule speaks of. */
  readonly fallback: Effect;
  readonly #clock: Clock;
  readonly #groups = new SubjectIndex<string>();
  readonly #roles = new SubjectIndex<string>();
  /** Rules about some clients, or at some times, by their indexes. */
  readonly #particular = new SubjectIndex<number>();
  readonly #texts: Texts = new Map();
  readonly #common = new RuleSet(this.#texts);
  readonly #kinds = new Map<string, RuleSet>();
  readonly #windows = new Map<string, Window>();

  private constructor(text: PolicyText, fallback: Effect) {
    this.text = text;
    this.fallback = fallback;
    this.#clock = new Clock(text.timeZone);
  }

  static of(text: PolicyText, fallback: Effect): Policy {
    const policy = new Policy(text, fallback);
    for (const step of policy.#steps()) step();
    return policy;
  }

  /** The same, without holding the event loop up however long it takes. */
  static async gradually(text: PolicyText, fallback: Effect): Promise<Policy> {
    const policy = new Policy(text, fallback);
    await inSlices(policy.#steps(), (step) => step());
    return policy;
  }

  /** One that has no rules. */
  static without(fallback: Effect): Policy {
    return Policy.of(nothing, fallback);
  }

  get rules(): readonly Rule[] {
    return this.text.rules;
  }

  /** The policy as it stands for one client at a moment: the rules about it, with the values of their variables. */
  bind(subject: Subject, now = Date.now()): BoundPolicy {
    const member = this.#withGroups(subject);
    const minute = this.#windows.size === 0 ? 0 : this.#clock.minuteOfDay(now);
    const indexes = this.#particular
      .find(member)
      .filter((index) => settingHolds((this.rules[index] as Rule).setting, member, minute));
    return new BoundPolicy([this.#common, ...this.#kind(indexes)], member, this.fallback);
  }

  /** The roles that a client is given, each once or more. */
  rolesOf(subject: Subject): readonly string[] {
    return this.#roles.find(this.#withGroups(subject));
  }

  /** Whether what a rule asks of connection and time holds of a client at a moment. */
  settingHolds(setting: Setting, subject: Subject, now: number): boolean {
    return settingHolds(setting, subject, setting.hours === undefined ? 0 : this.#clock.minuteOfDay(now));
  }

  /** A moment at which it is so many minutes since midnight, in the time zone of the policy. */
  momentAt(minute: number, now = Date.now()): number {
    const ahead = (minute - this.#clock.minuteOfDay(now) + minutesOfDay) % minutesOfDay;
    return now + ahead * 60_000;
  }

  /** Which of the hours that rules ask for it is: as long as this stays the same, so does every answer. */
  phaseAt(now: number): string {
    if (this.#windows.size === 0) return '';
    const minute = this.#clock.minuteOfDay(now);
    return [...this.#windows.values()].map((window) => Number(isWithin(window, minute))).join('');
  }

  /** Everything there is to do before it can be asked. */
  *#steps(): Generator<() => void> {
    for (const [index, named] of [
      [this.#groups, this.text.groups],
      [this.#roles, this.text.roles],
    ] as const)
      for (const { name, members } of named) for (const member of members) yield () => index.add(member, name);
    for (const [index, rule] of this.rules.entries()) yield () => this.#file(rule, index);
  }

  #file(rule: Rule, index: number): void {
    const { tls, hours } = rule.setting;
    if (isEverybody(rule.subject) && tls === undefined && hours === undefined) this.#common.add(rule);
    else this.#particular.add(rule.subject, index);
    for (const window of hours ?? []) this.#windows.set(`${window.from}-${window.to}`, window);
  }

  #withGroups(subject: Subject): Subject {
    const groups = this.#groups.find(subject);
    return groups.length === 0 ? subject : { ...subject, groups: [...(subject.groups ?? []), ...groups] };
  }

  /** Clients that the same rules are about share them. */
  #kind(indexes: readonly number[]): RuleSet[] {
    if (indexes.length === 0) return [];
    const key = indexes.join();
    let compiled = this.#kinds.get(key);
    if (!compiled) {
      compiled = RuleSet.of(
        indexes.map((index) => this.rules[index] as Rule),
        this.#texts,
      );
      if (this.#kinds.size >= maxKinds) this.#kinds.clear();
      this.#kinds.set(key, compiled);
    }
    return [compiled];
  }
}

function settingHolds({ tls, hours }: Setting, subject: Subject, minute: number): boolean {
  return (
    (tls === undefined || tls === (subject.tls ?? false)) &&
    (hours === undefined || hours.some((window) => isWithin(window, minute)))
  );
}
