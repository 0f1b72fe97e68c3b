import type { Place } from '../errors.js';
import type { Report } from '../yaml/read-yaml.js';
import { closest } from '../yaml/suggest.js';
import type { Path } from '../yaml/yaml-source.js';
import type { Given, Group, Permission, Rule } from './rule.js';
import { both, everybody, type SubjectPattern } from './subject.js';

/** A rule as it is written: a permission, or roles that are given. */
export type Entry =
  | { readonly kind: 'permission'; readonly subject: SubjectPattern; readonly permission: Permission }
  | {
      readonly kind: 'roles';
      readonly roles: readonly string[];
      readonly subject: SubjectPattern;
      readonly path: Path;
      readonly place: Place;
    };

/** More rules than a broker should hold; roles within roles reach any number. */
const maxRules = 1_000_000;

/**
 * Writes out what roles mean: each of their rules, about whoever is given the role and meets the rule's own subject; and
 * who is given which. A role may give others, but not itself.
 */
export class RoleExpansion {
  readonly #given: ReadonlyMap<string, Set<SubjectPattern>>;
  #steps = 0;

  constructor(
    private readonly roles: ReadonlyMap<string, readonly Entry[]>,
    private readonly report: Report,
  ) {
    this.#given = new Map([...roles.keys()].map((name) => [name, new Set<SubjectPattern>()]));
  }

  expand(entries: readonly Entry[]): Rule[] {
    const expanded: Rule[] = [];
    for (const entry of entries) this.#add(expanded, entry, everybody, undefined, []);
    return expanded;
  }

  /** Everybody who is given a role, by all that was expanded. */
  given(): Group[] {
    if (this.#steps > maxRules) this.report(['roles'], `the roles amount to more than ${maxRules} rules`);
    checkRoles(this.roles, this.report);
    return [...this.#given].map(([name, members]) => ({ name, members: [...members] }));
  }

  #add(to: Rule[], entry: Entry, subject: SubjectPattern, by: Given | undefined, within: readonly string[]): void {
    this.#steps++;
    const about = both(subject, entry.subject);
    if (entry.kind === 'permission') {
      to.push({ ...entry.permission, subject: about, given: by });
      return;
    }
    for (const [index, role] of entry.roles.entries()) {
      const inner = this.roles.get(role);
      const at = [...entry.path, 'roles', index];
      if (inner === undefined || within.includes(role)) {
        // What a role gives is looked at once, below, however often the role is given.
        if (within.length === 0 && inner === undefined) reportUnknown(role, this.roles, at, this.report);
        continue;
      }
      this.#given.get(role)?.add(about);
      for (const each of inner) {
        if (this.#steps > maxRules) return;
        this.#add(to, each, about, by ?? { role, place: entry.place }, [...within, role]);
      }
    }
  }
}

function checkRoles(roles: ReadonlyMap<string, readonly Entry[]>, report: Report): void {
  for (const [name, entries] of roles) {
    for (const entry of entries) {
      if (entry.kind !== 'roles') continue;
      for (const [index, role] of entry.roles.entries()) {
        const at = [...entry.path, 'roles', index];
        if (!roles.has(role)) reportUnknown(role, roles, at, report);
        else if (reaches(role, name, roles)) report(at, `the role ${name} gives itself`, 'take it out at one end');
      }
    }
  }
}

/** Whether giving one role gives the other. */
function reaches(from: string, to: string, roles: ReadonlyMap<string, readonly Entry[]>): boolean {
  const seen = new Set<string>();
  const next = [from];
  for (let role = next.pop(); role !== undefined; role = next.pop()) {
    if (role === to) return true;
    if (seen.has(role)) continue;
    seen.add(role);
    for (const entry of roles.get(role) ?? []) if (entry.kind === 'roles') next.push(...entry.roles);
  }
  return false;
}

function reportUnknown(role: string, roles: ReadonlyMap<string, unknown>, path: Path, report: Report): void {
  const meant = closest(role, roles.keys());
  report(path, `there is no role ${role}`, meant ? `did you mean ${meant}?` : 'write its rules under roles');
}
