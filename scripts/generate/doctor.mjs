// docs/reference/doctor.md, from what every check says of itself.

import { allChecks } from '../../packages/cli/dist/doctor/all-checks.js';
import { severities } from '../../packages/cli/dist/doctor/check.js';

export async function doctorPage() {
  const weights = Object.entries(severities).map(([name, weight]) => `${name} ${weight}`);
  const rows = allChecks.map(
    ({ code, severity, expects, why }) => `| \`${code}\` | ${severity} | ${expects} | ${why} |`,
  );
  return `# What moat doctor looks at

Generated from the checks. A code never changes its meaning. Each code that is found takes from the score of 100, once:
${weights.join(', ')}. See [hardening](../guides/hardening.md).

| code | severity | what should be | why |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}
