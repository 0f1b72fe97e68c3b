import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type Difference, loadPolicy } from '@moat/broker';
import type { Command } from 'commander';
import { callBroker } from '../../admin-socket.js';
import { CommandError } from '../../failure.js';
import { examples } from '../../help.js';
import { addConfigurationOptions, type ConfigurationOptions } from '../../local-broker.js';
import { escapeControls } from '../../output/escape.js';
import { formatTable } from '../../output/table.js';
import { integer } from '../../parse-argument.js';

interface ShadowOptions extends ConfigurationOptions {
  readonly for?: number;
  readonly summary?: true;
  readonly json?: true;
}

/** What the broker sends: differences as they come, and how much it has judged. */
type Line = Difference | { readonly judged: number; readonly missed: number };

export function defineShadow(command: Command): void {
  addConfigurationOptions(
    command
      .summary('judge the traffic of a running broker by a second policy as well')
      .description(
        'Judge the traffic of a running broker by a second policy as well, and tell where it would decide otherwise. Nothing ' +
          'changes for anybody, and nothing is left when the command ends.',
      ),
  )
    .option('--for <seconds>', 'how long (default: until interrupted)', integer(1, 604_800))
    .option('--summary', 'print what was found at the end, by rule, in place of each difference')
    .option('--json', 'print JSON, one object a line')
    .addHelpText('after', examples('moat policy shadow new.yaml', 'moat policy shadow new.yaml --for 3600 --summary'))
    .action(shadow);
}

async function shadow(file: string, options: ShadowOptions): Promise<void> {
  await loadPolicy(file); // its mistakes are told before anybody is asked
  const text = await readFile(file, 'utf8');
  const stream = await callBroker(options, 'POST', '/policy/shadow', { text, file });
  const lines = createInterface(stream);
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    lines.close();
    stream.destroy();
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const timer = options.for === undefined ? undefined : setTimeout(stop, options.for * 1_000);
  if (!options.json) console.error(`The broker judges by ${file} as well. Ctrl-C ends it.`);
  const tally = new Tally();
  try {
    for await (const line of lines) {
      const told = JSON.parse(line) as Line;
      tally.add(told);
      if (!options.summary && 'change' in told) console.log(options.json ? escapeControls(line) : describe(told));
    }
  } catch (cause) {
    if (!isOver) throw new CommandError(3, 'the broker has gone', { cause });
  } finally {
    clearTimeout(timer);
  }
  tally.print(options);
}

function describe({ action, target, clientId, username, address, change, inForce, instead }: Difference): string {
  const who = `${username ?? 'anonymous'} (client ID ${clientId}, ${address})`;
  return escapeControls(`${change}: ${action} ${target} by ${who}: ${instead}, in force ${inForce}`);
}

/** What was found, by the rules that do not agree. */
class Tally {
  private judged = 0;
  private missed = 0;
  private readonly rules = new Map<
    string,
    { change: string; action: string; rules: [string, string]; count: number; example: string }
  >();

  add(line: Line): void {
    if (!('change' in line)) {
      this.judged = line.judged;
      this.missed = line.missed;
      return;
    }
    const { change, action, inForce, instead, target } = line;
    const key = [change, action, inForce, instead].join('\n');
    const known = this.rules.get(key) ?? { change, action, rules: [inForce, instead], count: 0, example: target };
    known.count++;
    this.rules.set(key, known);
  }

  print({ summary, json }: ShadowOptions): void {
    const found = [...this.rules.values()].sort((one, other) => other.count - one.count);
    const { judged, missed } = this;
    if (json && summary) return console.log(JSON.stringify({ judged, missed, differences: found }));
    if (json) return;
    if (summary && found.length > 0) {
      const rows = found.map(({ change, action, rules, count, example }) => [
        change,
        action,
        ...rules,
        String(count),
        example,
      ]);
      console.log(formatTable(['WOULD', 'ACTION', 'IN FORCE', 'INSTEAD', 'COUNT', 'FOR EXAMPLE'], rows));
    }
    const more = missed === 0 ? '' : `, ${missed} more were not told because they came too fast`;
    const sum = found.reduce((total, { count }) => total + count, 0);
    console.error(`${judged} decisions judged, ${sum} would be otherwise${more}`);
  }
}
