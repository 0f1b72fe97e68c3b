import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { OperatorError, type OperatorErrorCode, OperatorErrors, type Place } from '../errors.js';

/** Keys and indexes that lead from the top of a document to a value. */
export type Path = readonly PropertyKey[];

/** A YAML file that a person wrote, and where in it each value stands. */
export class YamlSource {
  readonly file: string;
  /** The content as plain values; an empty file is an empty map. */
  readonly data: unknown;
  readonly #lines = new LineCounter();
  readonly #document;

  /**
   * @param code of the error for text that is not YAML
   * @param linesBefore lines of the file before the text
   * @throws OperatorErrors when the text is not YAML, or a key is given twice
   */
  constructor(
    text: string,
    file: string,
    code: OperatorErrorCode,
    private readonly linesBefore = 0,
  ) {
    this.file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true });
    if (this.#document.errors.length > 0) {
      throw new OperatorErrors(
        this.#document.errors.map(({ message, pos }) => new OperatorError(code, message, { place: this.#at(pos[0]) })),
      );
    }
    try {
      this.data = this.#document.toJS() ?? {};
    } catch (cause) {
      // Aliases that multiply without bound are found only here.
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new OperatorErrors([new OperatorError(code, message, { place: this.#at(0), cause })]);
    }
  }

  /** Whether the file itself gives a value there. */
  has(path: Path): boolean {
    return this.#document.hasIn(path);
  }

  /** Where the value stands; for a value that is missing, where the nearest thing around it does. */
  placeOf(path: Path): Place {
    for (let length = path.length; length > 0; length--) {
      const node = this.#document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return this.#at(node.range[0]);
    }
    const top = this.#document.contents;
    return this.#at(top?.range?.[0] ?? 0);
  }

  /** Where the key stands that names the last step of the path. */
  placeOfKey(path: Path): Place {
    const map = path.length > 1 ? this.#document.getIn(path.slice(0, -1), true) : this.#document.contents;
    const name = path.at(-1);
    const key = isMap(map)
      ? map.items.map((pair) => pair.key).find((key) => isScalar(key) && key.value === name)
      : null;
    return isNode(key) && key.range ? this.#at(key.range[0]) : this.placeOf(path);
  }

  #at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(line, 1) + this.linesBefore, column: Math.max(col, 1) };
  }
}
