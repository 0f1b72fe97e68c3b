import { sharedName } from './level-names.js';

/** Up to so many children are looked through one by one: a map for few takes several times their memory. */
const mostInRow = 12;

/**
 * One level of a tree of topics. There may be millions: most have no child or few, and pay for no list and no map.
 *
 * ```
 *   parent ─ children ─> a ─ next ─> b ─ next ─> c        up to twelve
 *   parent ─ children ─> Map { a, b, c, … }               beyond
 * ```
 */
export abstract class LevelNode<N extends LevelNode<N>> {
  /** The first of few children, or all of many by level. */
  private children: N | Map<string, N> | undefined = undefined;
  /** The next of few that have the same parent. */
  private next: N | undefined = undefined;

  constructor(readonly level: string) {}

  protected abstract make(level: string): N;

  get hasChildren(): boolean {
    return this.children !== undefined;
  }

  /** Those that are there from beginning to end are met once, whatever is added and removed meanwhile. */
  eachChild(): Iterator<N> {
    const { children } = this;
    if (children instanceof Map) return children.values();
    const row: N[] = [];
    for (let child = children; child !== undefined; child = child.next) row.push(child);
    return row.values();
  }

  child(level: string): N | undefined {
    const { children } = this;
    if (children instanceof Map) return children.get(level);
    for (let child = children; child !== undefined; child = child.next) if (child.level === level) return child;
    return undefined;
  }

  childOrNew(level: string): N {
    const { children } = this;
    let last: N | undefined;
    let count = 0;
    if (children instanceof Map) {
      const found = children.get(level);
      if (found !== undefined) return found;
    } else
      for (let child = children; child !== undefined; child = child.next) {
        if (child.level === level) return child;
        last = child;
        count++;
      }
    const node = this.make(sharedName(level));
    if (children instanceof Map) children.set(node.level, node);
    else if (last === undefined) this.children = node;
    else last.next = node;
    if (count === mostInRow) this.toMap();
    return node;
  }

  removeChild(level: string): void {
    const { children } = this;
    if (children instanceof Map) {
      children.delete(level);
      if (children.size === 0) this.children = undefined;
      return;
    }
    let before: N | undefined;
    for (let child = children; child !== undefined; child = child.next) {
      if (child.level === level) {
        if (before === undefined) this.children = child.next;
        else before.next = child.next;
        child.next = undefined;
        return;
      }
      before = child;
    }
  }

  private toMap(): void {
    const map = new Map<string, N>();
    const each = this.eachChild();
    for (let { value: child, done } = each.next(); !done; { value: child, done } = each.next()) {
      child.next = undefined;
      map.set(child.level, child);
    }
    this.children = map;
  }
}
