import { z } from 'zod';
import { OperatorError, type OperatorErrorCode, OperatorErrors } from '../errors.js';
import { explainIssue } from './schema-issue.js';
import { type Path, YamlSource } from './yaml-source.js';

/** The codes under which the mistakes of one kind of file are reported. */
export interface MistakeCodes {
  readonly syntax: OperatorErrorCode;
  readonly unknownKey: OperatorErrorCode;
  readonly invalidValue: OperatorErrorCode;
}

/**
 * Reads YAML text by a schema.
 * @param file name used in messages
 * @param linesBefore lines of the file before the text
 * @throws OperatorErrors with every mistake, in the order of the file
 */
export function readYaml<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
  codes: MistakeCodes,
  linesBefore = 0,
): { value: z.output<Schema>; source: YamlSource } {
  const source = new YamlSource(text, file, codes.syntax, linesBefore);
  const result = schema.safeParse(source.data);
  if (result.success) return { value: result.data, source };
  const jsonSchema = z.toJSONSchema(schema, { io: 'input' });
  const errors = result.error.issues
    .flatMap((issue) => explainIssue(issue, source.data, jsonSchema))
    .map(({ kind, path, message, hint }) => {
      const place = kind === 'unknownKey' ? source.placeOfKey(path) : source.placeOf(path);
      return new OperatorError(codes[kind], message, { place, ...(hint === undefined ? {} : { hint }) });
    });
  throw new OperatorErrors(inOrderOfFile(errors));
}

/** Tells of a mistake at a place in the file. */
export type Report = (path: Path, message: string, hint?: string) => void;

/** Collects the mistakes that a schema cannot see, each at its place in the file. */
export class Mistakes {
  readonly #errors: OperatorError[] = [];
  readonly #source: YamlSource;

  constructor(source: YamlSource) {
    this.#source = source;
  }

  add(code: OperatorErrorCode, path: Path, message: string, hint?: string): void {
    const place = this.#source.placeOf(path);
    this.#errors.push(new OperatorError(code, message, { place, ...(hint === undefined ? {} : { hint }) }));
  }

  /** @throws OperatorErrors when there is any */
  throwIfAny(): void {
    if (this.#errors.length > 0) throw new OperatorErrors(inOrderOfFile(this.#errors));
  }
}

function inOrderOfFile(errors: readonly OperatorError[]): OperatorError[] {
  return [...errors].sort(
    (a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0),
  );
}
