import { run } from '@moat/testkit';

/** The settings of a unit, each with all its values in their order. */
export function settingsOf(unit: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const line of unit.split('\n')) {
    const [, name, value = ''] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) settings.set(name, [...(settings.get(name) ?? []), value]);
  }
  return settings;
}

/** The system calls that these values of `SystemCallFilter` allow (systemd.exec(5)), as the systemd of this machine knows its sets. */
export async function allowedCalls(filters: readonly string[]): Promise<Set<string>> {
  const sets = setsIn((await run('systemd-analyze', ['syscall-filter', '--no-pager'])).stdout);
  const allowed = new Set<string>();
  for (const filter of filters) {
    const calls = filter
      .replace(/^~/, '')
      .split(' ')
      .flatMap((word) => callsOf(word, sets));
    for (const call of calls) {
      if (filter.startsWith('~')) allowed.delete(call);
      else allowed.add(call);
    }
  }
  return allowed;
}

function callsOf(word: string, sets: ReadonlyMap<string, readonly string[]>): string[] {
  return word.startsWith('@') ? (sets.get(word) ?? []).flatMap((inner) => callsOf(inner, sets)) : [word];
}

/** A set is a line with its name, and below it, indented, what it consists of. */
function setsIn(text: string): Map<string, string[]> {
  const sets = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split('\n')) {
    const [, name] = /^(@[\w-]+)$/.exec(line) ?? [];
    const [, member] = /^ {4}(@?[\w-]+)$/.exec(line) ?? [];
    if (name !== undefined) {
      current = [];
      sets.set(name, current);
    } else if (member !== undefined) current.push(member);
  }
  return sets;
}
