import { numberIn, part, partIn, positionIn, tables, textIn } from './keys.js';
import type { Unreadable } from './raw-rows.js';

/** So many names are told of each kind. */
const mostNames = 20;

/** What a repair could not keep, counted by kind, with the names of the first of each. */
export class Losses {
  private readonly kinds = new Map<string, { count: number; readonly names: Set<string> }>();

  add(what: string, name?: string): void {
    const kind = this.kinds.get(what) ?? { count: 0, names: new Set() };
    this.kinds.set(what, kind);
    kind.count++;
    if (name !== undefined && kind.names.size <= mostNames) kind.names.add(name);
  }

  /** One line for each kind. */
  inWords(): string[] {
    return [...this.kinds].map(([what, { count, names }]) => {
      const shown = [...names].slice(0, mostNames).join(', ');
      const more = names.size > mostNames ? ', …' : '';
      return shown === '' ? `${count} ${what}` : `${count} ${what}: ${shown}${more}`;
    });
  }
}

/** A part of the file that could not be read, and between what it lay. `clientOf` knows the client ID of a session. */
export function unreadableInWords(
  { page, what, behind, before }: Unreadable,
  clientOf: (session: number) => string | undefined,
): string {
  const bounds = [behind, before].flatMap((key) => (key === undefined ? [] : [keyInWords(key, clientOf)]));
  if (bounds.length < 2) return `${what} on page ${page}`;
  return `${what} on page ${page}, between ${bounds.join(' and ')}`;
}

function keyInWords(key: Buffer, clientOf: (session: number) => string | undefined): string {
  try {
    return rowInWords(key, (session) => JSON.stringify(clientOf(session) ?? `session ${session}`));
  } catch {
    return 'a row that makes no sense';
  }
}

function rowInWords(key: Buffer, named: (session: number) => string): string {
  switch (key[0]) {
    case tables.client:
      return `the client ID ${quoted(key, 1)}`;
    case tables.retained:
      return `the retained message of ${quoted(key, 1)}`;
    case tables.queue:
      return `message ${positionIn(key)} in the queue of ${named(numberIn(key))}`;
    case tables.session:
      return partIn(key) === part.subscription
        ? `the subscription of ${named(numberIn(key))} to ${quoted(key, 8)}`
        : `the session of ${named(numberIn(key))}`;
    case tables.body:
    case tables.count:
      return `message body ${numberIn(key)}`;
    default:
      return 'the first rows';
  }
}

function quoted(key: Buffer, from: number): string {
  return JSON.stringify(textIn(key, from) ?? 'a long one');
}
