import { BlockList, isIP } from 'node:net';
import type { Report } from '../yaml/read-yaml.js';
import { closest } from '../yaml/suggest.js';
import type { Path } from '../yaml/yaml-source.js';
import type { Groups, WrittenSubject } from './policy-schema.js';
import type { SubjectPattern } from './subject.js';
import { parseTextPattern, type TextPattern } from './text-pattern.js';

/** Turns the fields of a rule's subject into what clients are matched against. */
export function parseSubject(written: WrittenSubject, groups: Groups, path: Path, report: Report): SubjectPattern {
  const { username, clientid, group, method, address, listener } = written;
  const patterns = (texts: readonly string[], key: string) => parsePatterns(texts, [...path, key], report);
  return {
    ...(username && { username: patterns(username, 'username') }),
    ...(clientid && { clientid: patterns(clientid, 'clientid') }),
    ...(group && { group: membersOf(group, groups, [...path, 'group'], report) }),
    ...(method && { method: new Set(method) }),
    ...(address && { address: parseAddresses(address, [...path, 'address'], report) }),
    ...(listener && { listener: patterns(listener, 'listener') }),
  };
}

function parsePatterns(texts: readonly string[], path: Path, report: Report): TextPattern[] {
  return texts.flatMap((text, index) => {
    const pattern = parseTextPattern(text);
    if (!pattern) report([...path, index], `${JSON.stringify(text)} has more than one *`);
    if (text.includes('${'))
      report([...path, index], 'variables have no place in a subject', 'use them in topics or clientids');
    return pattern ?? [];
  });
}

function membersOf(names: readonly string[], groups: Groups, path: Path, report: Report): Set<string> {
  const members = names.map((name, index) => {
    if (Object.hasOwn(groups, name)) return groups[name] ?? [];
    const meant = closest(name, Object.keys(groups));
    report(
      [...path, index],
      `there is no group ${name}`,
      meant ? `did you mean ${meant}?` : 'list its user names under groups',
    );
    return [];
  });
  return new Set(members.flat());
}

function parseAddresses(texts: readonly string[], path: Path, report: Report): BlockList {
  const list = new BlockList();
  for (const [index, text] of texts.entries()) {
    const [network = '', prefix, ...more] = text.split('/');
    const version = isIP(network);
    const most = version === 6 ? 128 : 32;
    const bits = prefix === undefined ? most : Number(/^\d{1,3}$/.exec(prefix)?.[0] ?? Number.NaN);
    if (version === 0 || more.length > 0 || !(bits <= most)) {
      report([...path, index], `${text} is neither an IP address nor a range such as 10.0.0.0/8`);
    } else {
      list.addSubnet(network, bits, version === 6 ? 'ipv6' : 'ipv4');
    }
  }
  return list;
}
