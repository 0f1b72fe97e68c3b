import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import type { Part } from './part.js';
import type { Peer } from './peer/peer.js';
import type { Effort } from './scenario.js';
import { markdown, type Table } from './table.js';

/** On what and with what a run was made. */
export interface Setting {
  readonly date: string;
  readonly machine: string;
  readonly system: string;
  readonly versions: readonly string[];
}

export function setting(peers: readonly Peer[], now: Date): Setting {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return {
    date: now.toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${memory}`,
    system: `${distribution()}, Linux ${release()}`,
    versions: [...new Set([...peers.map((peer) => peer.version()), `Node.js ${process.versions.node}`])],
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  } catch {
    return 'Linux';
  }
}

/** A part's section of the page. */
export function section(
  { title, about }: Part,
  tables: readonly Table[],
  { date, machine, system, versions }: Setting,
  effort: Effort,
): string {
  return `## ${title}

Measured on ${date}, on ${machine}; ${system}; ${versions.join(', ')}.

${about(effort)}
${tables.map(markdown).join('\n')}`;
}

/** Puts a part's section in the place of the one that the page has; throws when the page has no place for it. */
export function writeSection(page: URL, { name }: Part, text: string): void {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->\n`];
  const old = readFileSync(page, 'utf8');
  const from = old.indexOf(begin);
  const to = old.indexOf(end);
  if (from < 0 || to < from)
    throw new Error(`${page.pathname} has no section between ${begin.trim()} and ${end.trim()}`);
  writeFileSync(page, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}
