import type { Status } from '@moat/broker';
import type { Command } from 'commander';
import { askBroker } from '../admin-socket.js';
import { allChecks } from '../doctor/all-checks.js';
import { type Severity, severities } from '../doctor/check.js';
import { examine, type Finding, type Report } from '../doctor/examine.js';
import { thisHost } from '../doctor/host.js';
import { CommandError, usageError } from '../failure.js';
import { examples } from '../help.js';
import { addConfigurationOptions, type ConfigurationOptions, findConfiguration } from '../local-broker.js';
import { escapeControls } from '../output/escape.js';
import { styleFor } from '../output/style.js';
import { gather } from '../parse-argument.js';

interface DoctorOptions extends ConfigurationOptions {
  readonly accept?: readonly string[];
  readonly json?: true;
}

const colours = { critical: 'red', high: 'red', medium: 'yellow', low: 'dim' } as const;

export function defineDoctor(command: Command): void {
  addConfigurationOptions(command)
    .option('--accept <code>', 'what you know of and leave as it is; may be given several times', gather)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Nothing is changed. Run it as the user of the broker, or as root, who sees more. The score begins at 100; what is critical
takes ${severities.critical} of it, high ${severities.high}, medium ${severities.medium}, low ${severities.low}. The exit code is 0 when nothing was found, and otherwise 1.
${examples('moat doctor', 'moat doctor -c /etc/moat/moat.yaml --accept machine.swap', 'moat doctor --json | jq .score')}`,
    )
    .action(doctor);
}

async function doctor({ accept = [], json, ...options }: DoctorOptions): Promise<void> {
  const unheardOf = accept.find((code) => !allChecks.some((check) => check.code === code));
  if (unheardOf !== undefined) throw usageError(`there is no check ${unheardOf}; docs/reference/doctor.md lists them`);
  const { configuration, file } = await findConfiguration(options);
  const report = await examine(
    allChecks.filter(({ code }) => !accept.includes(code)),
    { configuration, file, host: thisHost(), pid: await pidOf(options), now: new Date() },
  );
  console.log(json ? JSON.stringify(report, undefined, 2) : formatReport(report));
  if (report.findings.length > 0) throw new CommandError(1, 'something is weak', { isTold: true });
}

/** Of the broker that uses the data directory, if one answers. */
async function pidOf(options: ConfigurationOptions): Promise<number | undefined> {
  try {
    return (await askBroker<Status>(options, 'GET', '/status')).pid;
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

function formatReport({ score, findings, unknown, checked }: Report): string {
  const style = styleFor(process.stdout);
  const summary = findings.length === 0 ? 'nothing is weak' : `${findings.length} ${plural(findings.length)}`;
  const last = `${style('bold', `score ${score} of 100`)}: ${summary}, ${checked} checks`;
  return [
    ...findings.map((finding) => formatFinding(finding, style)),
    ...unknown.map(({ code, reason }) => style('dim', `not checked  ${code}: ${escapeControls(reason)}`)),
    ...(unknown.length > 0 ? [''] : []),
    last,
  ].join('\n');
}

function formatFinding({ code, severity, what, why, mend }: Finding, style: ReturnType<typeof styleFor>): string {
  const label = style(colours[severity satisfies Severity], severity.padEnd(8));
  const [problem, answer] = [what, mend].map(escapeControls);
  return `${label}  ${style('bold', code)}: ${problem}\n          ${why}\n          ${style('green', 'mend:')} ${answer}\n`;
}

function plural(count: number): string {
  return count === 1 ? 'finding' : 'findings';
}
