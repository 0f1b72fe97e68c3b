import { formatTable } from './table.js';

/** So many rows are gathered for their columns to line up; a list of any length takes no more memory. */
const rowsAtOnce = 1_000;

/** A list that is printed as it comes: a table, or one JSON array. */
export function listing<T>(
  heading: readonly string[],
  json: boolean,
  rowOf: (item: T) => readonly string[],
): { add(item: T): void; end(): void } {
  return json ? jsonArray() : table(heading, rowOf);
}

function jsonArray(): { add(item: unknown): void; end(): void } {
  let first = true;
  return {
    add(item) {
      process.stdout.write(`${first ? '[\n' : ',\n'}${JSON.stringify(item)}`);
      first = false;
    },
    end() {
      process.stdout.write(first ? '[]\n' : '\n]\n');
    },
  };
}

function table<T>(heading: readonly string[], rowOf: (item: T) => readonly string[]) {
  let rows: (readonly string[])[] = [];
  let printed = false;
  const print = (): void => {
    const lines = formatTable(heading, rows).split('\n');
    console.log((printed ? lines.slice(1) : lines).join('\n'));
    printed = true;
    rows = [];
  };
  return {
    add(item: T): void {
      rows.push(rowOf(item));
      if (rows.length === rowsAtOnce) print();
    },
    end(): void {
      if (rows.length > 0 || !printed) print();
    },
  };
}
