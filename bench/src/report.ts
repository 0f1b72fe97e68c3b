import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
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

/** The page `docs/reference/performance.md`. */
export function page(tables: readonly Table[], { date, machine, system, versions }: Setting, effort: Effort): string {
  return `# Performance

Written by \`npm run bench -- --write\` on ${date}.

- Machine: ${machine}
- System: ${system}
- Versions: ${versions.join(', ')}

Every broker lets everybody do everything, keeps its state in memory, and runs in a fresh process for each measurement; the
load comes from a process of its own over loopback. Measurements of the same scenario take turns among the brokers, and each
number is the median of ${effort.repeat}. CPU is user and system time of all threads of the broker, from \`/proc\`, read while no
message is on its way. A measurement in which a message was lost or doubled does not count.

Messages have 64 bytes of payload unless said. Saturated publishers keep a window full: 2,000 messages in all on their way
with QoS 0 (1 → 500: 200; 16 KiB: 64), 20 for each publisher with QoS 1 and 2; latency there is the time spent in that
window. The paced load is one message in one write, from one publisher after the other. Mosquitto is measured with
\`set_tcp_nodelay\` on (\`mosquitto\`) and off (\`mosquitto-nagle\`), and the lower number of the two counts.
All TLS is 1.3 with an ECDSA P-256 certificate; no session is resumed.
"× Moat" says how many times as much as Moat a broker takes.

${tables.map(markdown).join('\n')}`;
}
