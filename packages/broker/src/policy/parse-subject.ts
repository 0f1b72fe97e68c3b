import { BlockList, isIPv6 } from 'node:net';
import { parseRange } from '../guard/address.js';
import type { Report } from '../yaml/read-yaml.js';
import { closest } from '../yaml/suggest.js';
import type { Path } from '../yaml/yaml-source.js';
import type { WrittenPolicy, WrittenSubject } from './policy-schema.js';
import type { Group } from './rule.js';
import { both, everybody, type FactTest, type SubjectPattern } from './subject.js';
import { exactly, parseTextPattern, type TextPattern } from './text-pattern.js';

type Groups = WrittenPolicy['groups'];

/** Turns the fields of a rule's subject into what clients are matched against. */
export function parseSubject(written: WrittenSubject, groups: Groups, path: Path, report: Report): SubjectPattern {
  const { group, cert = {}, claims = {}, address, ...single } = written;
  const tests: FactTest[] = [];
  const test = (fact: string, texts: readonly string[], at: Path) =>
    tests.push({ fact, patterns: parsePatterns(texts, [...path, ...at], report) });
  for (const [fact, texts] of Object.entries(single)) if (texts !== undefined) test(fact, texts, [fact]);
  for (const [name, texts] of Object.entries(claims)) test(`claims.${name}`, texts, ['claims', name]);
  for (const [field, texts] of Object.entries(cert)) {
    const isHexadecimal = field === 'serial' || field === 'fingerprint';
    const plain = isHexadecimal ? texts.map((text) => text.replaceAll(':', '').toLowerCase()) : texts;
    test(`cert.${field}`, plain, ['cert', field]);
  }
  if (group !== undefined) {
    for (const [index, name] of group.entries()) checkGroup(name, groups, [...path, 'group', index], report);
    tests.push({ fact: 'group', patterns: group.map(exactly) });
  }
  const addresses = address === undefined ? [] : [parseAddresses(address, [...path, 'address'], report)];
  return tests.length + addresses.length === 0 ? everybody : { tests, addresses };
}

/**
 * The members of every group. A group within another is written out, so that a client's groups follow from the client
 * alone.
 */
export function parseGroups(written: Groups, report: Report): Group[] {
  const done = new Map<string, readonly SubjectPattern[]>();
  const membersOf = (name: string, within: readonly string[]): readonly SubjectPattern[] => {
    const known = done.get(name);
    if (known !== undefined) return known;
    const members = (written[name] ?? []).flatMap((entry, index) => {
      const path = ['groups', name, index];
      if (typeof entry === 'string')
        return { tests: [{ fact: 'username', patterns: parsePatterns([entry], path, report) }], addresses: [] };
      const { group, ...rest } = entry;
      const own = parseSubject(rest, written, path, report);
      if (group === undefined) return own;
      return group.flatMap((inner, position): SubjectPattern[] => {
        const at = [...path, 'group', position];
        if (inner === name || within.includes(inner)) {
          report(at, `the group ${name} is within itself`, 'take it out at one end');
          return [];
        }
        checkGroup(inner, written, at, report);
        const named: SubjectPattern = { tests: [{ fact: 'group', patterns: [exactly(inner)] }], addresses: [] };
        return [named, ...membersOf(inner, [...within, name])].map((member) => both(member, own));
      });
    });
    done.set(name, members);
    return members;
  };
  return Object.keys(written).map((name) => ({ name, members: membersOf(name, []) }));
}

function parsePatterns(texts: readonly string[], path: Path, report: Report): TextPattern[] {
  return texts.flatMap((text, index) => {
    const at = texts.length > 1 || typeof path.at(-1) === 'string' ? [...path, index] : path;
    const pattern = parseTextPattern(text);
    if (!pattern) report(at, `${JSON.stringify(text)} has more than one *`);
    if (text.includes('${')) report(at, 'variables have no place in a subject', 'use them in topics or clientids');
    return pattern ?? [];
  });
}

function checkGroup(name: string, groups: Groups, path: Path, report: Report): void {
  if (Object.hasOwn(groups, name)) return;
  const meant = closest(name, Object.keys(groups));
  report(
    path,
    `there is no group ${name}`,
    meant
      ? `did you mean ${meant}?`
      : `list its members under groups, or write ${name}: [] there when tokens name them`,
  );
}

function parseAddresses(texts: readonly string[], path: Path, report: Report): BlockList {
  const list = new BlockList();
  for (const [index, text] of texts.entries()) {
    const range = parseRange(text);
    if (range === undefined)
      report([...path, index], `${text} is neither an IP address nor a range such as 10.0.0.0/8`);
    else list.addSubnet(range.network, range.prefix, isIPv6(range.network) ? 'ipv6' : 'ipv4');
  }
  return list;
}
