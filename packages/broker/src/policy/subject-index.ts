import { type Subject, valuesOf } from './facts.js';
import { type SubjectPattern, subjectMatches } from './subject.js';

interface Item<Entry> {
  readonly order: number;
  readonly pattern: SubjectPattern;
  readonly entry: Entry;
}

/**
 * Finds what is said about a client among very many sayings about others. Each is filed under the values of its first
 * test that names them in full, so that a client has to be compared with those only that name it, and with the few that
 * name nobody:
 * ```
 *   username ── pump-7 ── [rule 1, rule 9]
 *   group ───── admins ── [rule 4]
 *   (others) ──────────── [rule 2, rule 3]
 * ```
 */
export class SubjectIndex<Entry> {
  readonly #facts = new Map<string, Map<string, Item<Entry>[]>>();
  readonly #others: Item<Entry>[] = [];
  #count = 0;

  add(pattern: SubjectPattern, entry: Entry): void {
    const item = { order: this.#count++, pattern, entry };
    const test = pattern.tests.find(({ patterns }) => patterns.every(({ after }) => after === undefined));
    if (test === undefined) {
      this.#others.push(item);
      return;
    }
    const values = getOrAdd(this.#facts, test.fact, () => new Map<string, Item<Entry>[]>());
    for (const value of new Set(test.patterns.map(({ before }) => before)))
      getOrAdd(values, value, () => []).push(item);
  }

  /** Everything that is about the client, in the order in which it was added. */
  find(subject: Subject): Entry[] {
    if (this.#count === 0) return [];
    const found = this.#others.filter(({ pattern }) => subjectMatches(pattern, subject));
    for (const [fact, values] of this.#facts) {
      const own = valuesOf(subject, fact);
      for (const value of own) {
        for (const item of values.get(value) ?? []) if (subjectMatches(item.pattern, subject)) found.push(item);
      }
    }
    found.sort((one, other) => one.order - other.order);
    // Two values of one fact may lead to the same item.
    return found.filter((item, index) => item !== found[index - 1]).map(({ entry }) => entry);
  }
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
