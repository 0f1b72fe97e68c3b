import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Setting } from '../report.js';

const require = createRequire(import.meta.url);

/** The page `docs/reference/performance/policy.md`. */
export function page(tables: readonly string[], { date, machine, system, versions }: Setting): string {
  const others = ['casbin', '@cedar-policy/cedar-wasm'].map((name) => `${name} ${versionOf(name)}`);
  return `# What a policy costs

Written by \`npm run bench -- policy --write\` on ${date}.

- Machine: ${machine}
- System: ${system}
- Versions: ${[...versions, ...others].join(', ')}

Each subject has ten rules: nine that allow a tree of topics and one that denies a part of it. Questions go round all
subjects, no topic comes twice, and a fifth of them is denied. \`moat\` works each answer out for a client that is bound to
its policy, as every connection is at CONNECT; \`moat, cached\` is what a connection asks, with 500 topics in turn. casbin
has the same rules as an access control list with \`keyMatch\`, cedar-wasm as policies that are parsed beforehand, both
without their subjects' topics cached. Each number is the median of at least nine turns.

Throughput is messages by the CPU time of the broker, since a saturated one is bound by it; measured in pairs, without a
policy and with one, each in a process of its own, and the share is the median of the pairs. For the pauses the broker runs
in the process that measures (\`monitorEventLoopDelay\`, with a resolution of 1 ms), the clients in another; each is the longest
of three brokers, and \`none\` is a second without a reload, and so what the machine itself does.

${tables.join('\n')}`;
}

function versionOf(name: string): string {
  const entry = require.resolve(name === 'casbin' ? name : `${name}/nodejs`);
  const root = entry.slice(0, entry.lastIndexOf(name) + name.length);
  return (JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { version: string }).version;
}
