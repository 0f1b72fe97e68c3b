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

/** A rule where its filter ends, with what is asked of it most, so that the rule itself need not be looked at. */
interface Leaf {
  readonly rule: Rule;
  /** Bit mask. */
  readonly actions: number;
  readonly isConditional: boolean;
  readonly denies: boolean;
  /** The next of those that end in the same place. */
  readonly next: Leaf | undefined;
}

/** Texts by themselves: equal levels of many rules are one string, which is in the processor's cache when it is compared. */
export type Texts = Map<string, string>;

/**
 * What can follow a level. Most nodes have one child, which is a literal: it is looked up by comparing text in place, and
 * everything else is made when it is needed.
 */
export interface Node {
  /** The one literal child, of one or more levels; undefined when there is none or are several. */
  only: string | undefined;
  child: Node | undefined;
  literals: Map<string, Node> | undefined;
  variables: Map<number, Node> | undefined;
  plus: Node | undefined;
  /** Rules whose filter ends here. */
  here: Leaf | undefined;
  /** Rules whose filter goes on with `#`. */
  below: Leaf | undefined;
}

/** The values of the levels that hold variables for one client; none matches nothing. */
export type BoundLevels = readonly (readonly string[])[];

const bits = Object.fromEntries(actions.map((action, index) => [action, 1 << index])) as Record<Action, number>;
const noLevels: BoundLevels = [];

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
  isEmpty = true;
  /** To be handed to {@link find}. */
  readonly root: Node = newNode();
  readonly #texts: Texts;
  readonly #slots = new Map<string, number>();
  readonly #levels: Slot[] = [];

  constructor(texts: Texts) {
    this.#texts = texts;
  }

  add(pattern: TopicPattern, rule: Rule): void {
    this.isEmpty = false;
    // Before the first level the two are the same: every topic has one.
    const levels = pattern.text === '+/#' ? pattern.levels.slice(1) : pattern.levels;
    let node = this.root;
    for (const [index, level] of levels.entries()) {
      if (level.length === 1 && level[0] === '#') {
        node.below = leafOf(rule, node.below);
        return;
      }
      node = this.#child(node, { level, isFirst: index === 0, alone: pattern.repeats });
    }
    node.here = leafOf(rule, node.here);
  }

  bind(subject: Subject): BoundLevels {
    if (this.#levels.length === 0) return noLevels;
    return this.#levels.map(({ level, isFirst, alone }) => bindLevel(level, isFirst, alone, subject));
  }

  /** No rule is added any more: levels that lead nowhere else become one, `devices/plant-1`. */
  seal(): void {
    this.#merge(this.root);
  }

  #merge(node: Node): void {
    for (let { child } = node; child !== undefined && leadsOn(child); child = node.child) {
      node.only = this.#shared(`${node.only}/${child.only}`);
      node.child = child.child;
    }
    for (const child of [node.child, node.plus]) if (child !== undefined) this.#merge(child);
    for (const child of node.literals?.values() ?? []) this.#merge(child);
    for (const child of node.variables?.values() ?? []) this.#merge(child);
  }

  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const flat = flatOf(text);
    this.#texts.set(flat, flat);
    return flat;
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
    return literalChild(node, this.#shared(literal));
  }

  #slot(slot: Slot): number {
    const key = JSON.stringify(slot);
    const known = this.#slots.get(key);
    if (known !== undefined) return known;
    this.#slots.set(key, this.#levels.length);
    return this.#levels.push(slot) - 1;
  }
}

/**
 * Looks for a rule on an action whose filter includes every topic that matches `filter`, which may be a topic name: one
 * that denies if there is any, else one that allows. Walks through the branches that include it, of one tree after the
 * other, and ends at the first rule that denies.
 */
export class Search {
  found: Rule | undefined = undefined;
  denied = false;
  private bound: BoundLevels = noLevels;
  private readonly bit: number;
  private readonly isReserved: boolean;

  constructor(
    private readonly filter: string,
    action: Action,
    private readonly circumstances: Circumstances,
  ) {
    this.bit = bits[action];
    this.isReserved = filter.charCodeAt(0) === 0x24;
  }

  /** True when a rule that denies was found. */
  in(root: Node, bound: BoundLevels): boolean {
    this.bound = bound;
    return this.visit(root, 0);
  }

  private visit(node: Node, start: number): boolean {
    const { filter } = this;
    // No wildcard stands for a first level that begins with `$` [MQTT-4.7.2-1].
    const wildcards = start > 0 || !this.isReserved;
    if (wildcards && node.below !== undefined && this.take(node.below)) return true;
    if (start > filter.length) return node.here !== undefined && this.take(node.here);
    const { only, child } = node;
    if (only !== undefined && child !== undefined && filter.startsWith(only, start)) {
      const end = start + only.length;
      if ((end === filter.length || filter.charCodeAt(end) === 0x2f) && this.visit(child, end + 1)) return true;
    }
    if (node.literals === undefined && node.plus === undefined && node.variables === undefined) return false;
    const slash = filter.indexOf('/', start);
    const end = slash < 0 ? filter.length : slash;
    const level = filter.slice(start, end);
    // Only `#` includes `#`; and `+` is neither a literal nor a value, so only `+` includes it.
    if (level === '#') return false;
    const literal = node.literals?.get(level);
    if (literal !== undefined && this.visit(literal, end + 1)) return true;
    if (wildcards && node.plus !== undefined && this.visit(node.plus, end + 1)) return true;
    if (node.variables === undefined) return false;
    for (const [slot, next] of node.variables)
      if (this.bound[slot]?.includes(level) === true && this.visit(next, end + 1)) return true;
    return false;
  }

  private take(first: Leaf): boolean {
    for (let leaf: Leaf | undefined = first; leaf !== undefined; leaf = leaf.next) {
      const { rule, actions, isConditional, denies } = leaf;
      if ((actions & this.bit) === 0 || (!denies && this.found !== undefined)) continue;
      if (isConditional && !conditionsHold(rule.conditions, this.circumstances, denies)) continue;
      this.found = rule;
      this.denied = denies;
      if (denies) return true;
    }
    return false;
  }
}

/** A string whose characters stand in itself: one that was put together, or cut out of another, refers to them. */
function flatOf(text: string): string {
  return Buffer.from(text).toString();
}

/** Whether a node has one literal child and nothing else. */
function leadsOn({ only, plus, variables, here, below }: Node): boolean {
  return (
    only !== undefined && plus === undefined && variables === undefined && here === undefined && below === undefined
  );
}

function leafOf(rule: Rule, next: Leaf | undefined): Leaf {
  let mask = 0;
  for (const action of rule.actions) mask |= bits[action];
  const isConditional = Object.keys(rule.conditions).length > 0;
  return { rule, actions: mask, isConditional, denies: rule.effect === 'deny', next };
}

function newNode(): Node {
  return {
    only: undefined,
    child: undefined,
    literals: undefined,
    variables: undefined,
    plus: undefined,
    here: undefined,
    below: undefined,
  };
}

/** A second literal makes a map of the one that there was. */
function literalChild(node: Node, literal: string): Node {
  if (node.only === literal && node.child !== undefined) return node.child;
  if (node.only === undefined && node.literals === undefined) {
    node.only = literal;
    node.child = newNode();
    return node.child;
  }
  if (node.literals === undefined) {
    node.literals = new Map(node.child === undefined ? [] : [[node.only ?? '', node.child]]);
    node.only = undefined;
    node.child = undefined;
  }
  return getOrAdd(node.literals, literal);
}

function getOrAdd<Key>(children: Map<Key, Node>, key: Key): Node {
  let child = children.get(key);
  if (!child) {
    child = newNode();
    children.set(key, child);
  }
  return child;
}
