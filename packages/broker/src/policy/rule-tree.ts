import { bindLevel, type TopicPattern } from './object.js';
import { type Action, type Circumstances, conditionsHold, type Rule } from './rule.js';
import type { Subject } from './subject.js';
import type { Template } from './template.js';

/** A level that holds variables: where its value stands in the list that is bound for each client. */
interface Slot {
  readonly level: Template;
  readonly isFirst: boolean;
}

/** What can follow a level: each child is one more level, and rules are where their filters end. */
interface Node {
  readonly literals: Map<string, Node>;
  readonly variables: Map<number, Node>;
  plus: Node | undefined;
  /** Rules whose filter ends here. */
  readonly here: Rule[];
  /** Rules whose filter goes on with `#`. */
  readonly below: Rule[];
}

/** The values of the levels that hold variables for one client; undefined matches nothing. */
export type BoundLevels = readonly (string | undefined)[];

/**
 * The topic patterns of many rules, level by level:
 * ```
 *   devices/${username}/#          (root) ── devices ── slot 0   below: rule 1
 *   +/status                          └───── + ─────── status    here: rule 2
 * ```
 * The tree is shared by all clients that the same rules are about. What is bound for each of them is only the
 * list of values for the slots.
 */
export class RuleTree {
  readonly #root = newNode();
  readonly #slots = new Map<string, number>();
  readonly #levels: Slot[] = [];

  add(pattern: TopicPattern, rule: Rule): void {
    // Before the first level the two are the same: every topic has one.
    const levels = pattern.text === '+/#' ? pattern.levels.slice(1) : pattern.levels;
    let node = this.#root;
    for (const [index, level] of levels.entries()) {
      if (level.length === 1 && level[0] === '#') {
        node.below.push(rule);
        return;
      }
      node = this.#child(node, level, index === 0);
    }
    node.here.push(rule);
  }

  bind(subject: Subject): BoundLevels {
    return this.#levels.map(({ level, isFirst }) => bindLevel(level, isFirst, subject));
  }

  /** A rule on this action whose filter includes every topic that matches `filter`, which may be a topic name. */
  find(filter: string, bound: BoundLevels, action: Action, circumstances: Circumstances): Rule | undefined {
    const isApplicable = (rule: Rule) => rule.actions.has(action) && conditionsHold(rule.conditions, circumstances);
    const isReserved = filter.startsWith('$');

    const search = (node: Node, start: number): Rule | undefined => {
      // No wildcard stands for a first level that begins with `$` [MQTT-4.7.2-1].
      const wildcards = start > 0 || !isReserved;
      const below = wildcards ? node.below.find(isApplicable) : undefined;
      if (below) return below;
      if (start > filter.length) return node.here.find(isApplicable);
      const slash = filter.indexOf('/', start);
      const end = slash < 0 ? filter.length : slash;
      const level = filter.slice(start, end);
      // Only `#` includes `#`; and `+` is neither a literal nor a value, so only `+` includes it.
      if (level === '#') return undefined;
      const literal = node.literals.get(level);
      let found = literal && search(literal, end + 1);
      if (!found && wildcards && node.plus) found = search(node.plus, end + 1);
      if (found) return found;
      for (const [slot, child] of node.variables) {
        if (bound[slot] !== level) continue;
        found = search(child, end + 1);
        if (found) return found;
      }
      return undefined;
    };
    return search(this.#root, 0);
  }

  #child(node: Node, level: Template, isFirst: boolean): Node {
    const [literal = ''] = level;
    if (level.length > 1) return getOrAdd(node.variables, this.#slot(level, isFirst));
    if (literal !== '+') return getOrAdd(node.literals, literal);
    node.plus ??= newNode();
    return node.plus;
  }

  #slot(level: Template, isFirst: boolean): number {
    const key = JSON.stringify([level, isFirst]);
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    this.#slots.set(key, this.#levels.length);
    return this.#levels.push({ level, isFirst }) - 1;
  }
}

function newNode(): Node {
  return { literals: new Map(), variables: new Map(), plus: undefined, here: [], below: [] };
}

function getOrAdd<Key>(children: Map<Key, Node>, key: Key): Node {
  let child = children.get(key);
  if (!child) {
    child = newNode();
    children.set(key, child);
  }
  return child;
}
