import { sharedName } from './level-names.js';

/** Up to so many children are looked through one by one: a map for few takes several times their memory. */
const mostInArray = 12;

/** One level of a tree of topics. There may be millions: most have no child or few, and pay for no map. */
export abstract class LevelNode<N extends LevelNode<N>> {
  /** The only child, a few, or all of them by level. */
  private children: N | N[] | Map<string, N> | undefined = undefined;

  constructor(readonly level: string) {}

  protected abstract make(level: string): N;

  get hasChildren(): boolean {
    return this.children !== undefined;
  }

  /** Those that are there from beginning to end are met once, whatever is added and removed meanwhile. */
  eachChild(): Iterator<N> {
    const { children } = this;
    if (children instanceof Map) return children.values();
    if (Array.isArray(children)) return [...children].values();
    return (children === undefined ? [] : [children]).values();
  }

  child(level: string): N | undefined {
    const { children } = this;
    if (children === undefined) return undefined;
    if (children instanceof Map) return children.get(level);
    if (!Array.isArray(children)) return children.level === level ? children : undefined;
    for (const child of children) if (child.level === level) return child;
    return undefined;
  }

  childOrNew(level: string): N {
    const found = this.child(level);
    if (found !== undefined) return found;
    const node = this.make(sharedName(level));
    const { children } = this;
    if (children === undefined) this.children = node;
    else if (children instanceof Map) children.set(level, node);
    else if (!Array.isArray(children)) this.children = [children, node];
    // One that grows by itself takes room for sixteen more, and so does a spread one.
    else if (children.length < mostInArray) this.children = children.concat(node);
    else this.children = new Map([...children, node].map((child) => [child.level, child]));
    return node;
  }

  removeChild(level: string): void {
    const { children } = this;
    if (children instanceof Map) {
      children.delete(level);
      if (children.size === 0) this.children = undefined;
    } else if (Array.isArray(children)) {
      const rest = children.filter((child) => child.level !== level);
      this.children = rest.length > 1 ? rest : rest[0];
    } else if (children?.level === level) this.children = undefined;
  }
}
