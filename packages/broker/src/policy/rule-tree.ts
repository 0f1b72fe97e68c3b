import { type Circumstances, conditionsHold } from './conditions.js';
import type { Subject } from './facts.js';
import { bindLevel, type TopicPattern } from './object.js';
import { type Action, actions, type Rule } from './rule.js';
import type { Template } from './template.js';

/** A level that holds variables: where its values stand in the list that is bound for each client. */
interface Slot {
  readonly level: Template;
  readonly isFirst: boolean;
  /** Whether its variables must have one value, since they stand in the pattern twice. */
  readonly alone: boolean;
}

/** A rule where its filter ends, with what is asked of it most as a bit mask. */
interface Leaf {
  readonly rule: Rule;
  readonly actions: number;
  readonly isConditional: boolean;
}

/** What can follow a level: each child is one more level. Most nodes have one child, so that each part is made when needed. */
interface Node {
  literals: Map<string, Node> | undefined;
  variables: Map<number, Node> | undefined;
  plus: Node | undefined;
  /** Rules whose filter ends here. */
  here: Leaf[] | undefined;
  /** Rules whose filter goes on with `#`. */
  below: Leaf[] | undefined;
}

/** The values of the levels that hold variables for one client; none matches nothing. */
export type BoundLevels = readonly (readonly string[])[];

const bits = Object.fromEntries(actions.map((action, index) => [action, 1 << index])) as Record<Action, number>;

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
  #isEmpty = true;

  add(pattern: TopicPattern, rule: Rule): void {
    this.#isEmpty = false;
    // Before the first level the two are the same: every topic has one.
    const levels = pattern.text === '+/#' ? pattern.levels.slice(1) : pattern.levels;
    const leaf = leafOf(rule);
    let node = this.#root;
    for (const [index, level] of levels.entries()) {
      if (level.length === 1 && level[0] === '#') {
        node.below ??= [];
        node.below.push(leaf);
        return;
      }
      node = this.#child(node, { level, isFirst: index === 0, alone: pattern.repeats });
    }
    node.here ??= [];
    node.here.push(leaf);
  }

  bind(subject: Subject): BoundLevels {
    return this.#levels.map(({ level, isFirst, alone }) => bindLevel(level, isFirst, alone, subject));
  }

  /** A rule on this action whose filter includes every topic that matches `filter`, which may be a topic name. */
  find(filter: string, bound: BoundLevels, action: Action, circumstances: Circumstances): Rule | undefined {
    if (this.#isEmpty) return undefined;
    // No wildcard stands for a first level that begins with `$` [MQTT-4.7.2-1].
    return search(this.#root, 0, {
      filter,
      bound,
      bit: bits[action],
      circumstances,
      isReserved: filter.startsWith('$'),
    });
  }

  #child(node: Node, slot: Slot): Node {
    const [literal = ''] = slot.level;
    if (slot.level.length > 1) {
      node.variables ??= new Map();
      return getOrAdd(node.variables, this.#slot(slot));
    }
    if (literal === '+') {
      node.plus ??= newNode();
      return node.plus;
    }
    node.literals ??= new Map();
    return getOrAdd(node.literals, literal);
  }

  #slot(slot: Slot): number {
    const key = JSON.stringify(slot);
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    this.#slots.set(key, this.#levels.length);
    return this.#levels.push(slot) - 1;
  }
}

/** What is looked for. */
interface Search {
  readonly filter: string;
  readonly bound: BoundLevels;
  readonly bit: number;
  readonly circumstances: Circumstances;
  readonly isReserved: boolean;
}

function search(node: Node, start: number, wanted: Search): Rule | undefined {
  const { filter, bound } = wanted;
  const wildcards = start > 0 || !wanted.isReserved;
  if (wildcards && node.below !== undefined) {
    const below = applicable(node.below, wanted);
    if (below !== undefined) return below;
  }
  if (start > filter.length) return node.here && applicable(node.here, wanted);
  const slash = filter.indexOf('/', start);
  const end = slash < 0 ? filter.length : slash;
  const level = filter.slice(start, end);
  // Only `#` includes `#`; and `+` is neither a literal nor a value, so only `+` includes it.
  if (level === '#') return undefined;
  const literal = node.literals?.get(level);
  let found = literal && search(literal, end + 1, wanted);
  if (found === undefined && wildcards && node.plus !== undefined) found = search(node.plus, end + 1, wanted);
  if (found !== undefined || node.variables === undefined) return found;
  for (const [slot, child] of node.variables) {
    if (bound[slot]?.includes(level) !== true) continue;
    found = search(child, end + 1, wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

function applicable(leaves: readonly Leaf[], { bit, circumstances }: Search): Rule | undefined {
  for (const { rule, actions, isConditional } of leaves) {
    if ((actions & bit) === 0) continue;
    if (!isConditional || conditionsHold(rule.conditions, circumstances, rule.effect === 'deny')) return rule;
  }
  return undefined;
}

function leafOf(rule: Rule): Leaf {
  let mask = 0;
  for (const action of rule.actions) mask |= bits[action];
  return { rule, actions: mask, isConditional: Object.keys(rule.conditions).length > 0 };
}

function newNode(): Node {
  return { literals: undefined, variables: undefined, plus: undefined, here: undefined, below: undefined };
}

function getOrAdd<Key>(children: Map<Key, Node>, key: Key): Node {
  let child = children.get(key);
  if (!child) {
    child = newNode();
    children.set(key, child);
  }
  return child;
}
