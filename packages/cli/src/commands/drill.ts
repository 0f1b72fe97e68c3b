import { writeFile } from 'node:fs/promises';
import type { Attempt, Credentials, Drill, Intensity, Result, Watcher } from '@moat/drills';
import { type Command, Option } from 'commander';
import { askPassword } from '../connection/ask-password.js';
import { isLoopback } from '../connection/loopback.js';
import { CommandError, usageError } from '../failure.js';
import { examples } from '../help.js';
import { styleFor } from '../output/style.js';
import { formatTable } from '../output/table.js';

interface DrillOptions {
  readonly list?: true;
  readonly target?: string;
  readonly username?: string;
  readonly iOwnThisBroker?: true;
  readonly compare?: true;
  readonly intensity: Intensity;
  readonly write?: string;
  readonly json?: true;
}

export function defineDrill(command: Command): void {
  command
    .argument('[name...]', 'attacks (default: all); moat drill --list names them')
    .option('--list', 'name the attacks, and do nothing')
    .addOption(new Option('--target <host:port>', 'a broker that runs already').conflicts('compare'))
    .option('--i-own-this-broker', 'allow a target that is not on this machine')
    .option(
      '-u, --username <name>',
      'a user of the target who does nothing wrong; asks for the password, or MOAT_PASSWORD',
    )
    .option('--compare', 'attack Mosquitto and Aedes, too, with the same settings')
    .addOption(new Option('--intensity <how>', 'how hard').choices(['small', 'full']).default('full'))
    .addOption(
      new Option('--write [file]', 'write what came out as a page of Markdown')
        .preset('docs/reference/resilience.md')
        .conflicts('target'),
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Starts a broker of its own for each attack, with new users, rights and certificates, on free ports of 127.0.0.1; or attacks
the --target, which has to be on a loopback address unless you say that it is yours. The exit code is 1 if anything was not
survived.
${examples('moat drill', 'moat drill policy-bypass --compare', 'moat drill --target 127.0.0.1:1883 -u admin')}`,
    )
    .action(drill);
}

async function drill(names: readonly string[], options: DrillOptions): Promise<void> {
  const all = await import('@moat/drills');
  const chosen = choose(names, all.drills);
  if (options.list) return list(chosen, options.json ?? false);
  all.cleanUpAtExit();
  const { aedes, moat, mosquitto } = all;
  const peers = options.compare ? [moat, mosquitto, aedes] : [moat];
  const watcher = options.json ? {} : telling();
  const results =
    options.target === undefined
      ? await all.runWithPeers(chosen, peers, options.intensity, watcher)
      : await all.runWithTarget(chosen, await targetOf(options.target, options), options.intensity, watcher);
  if (options.write !== undefined) {
    const versions = [...peers.map((peer) => peer.version()), `Node.js ${process.versions.node}`];
    await writeFile(options.write, all.resiliencePage(results, chosen, versions, new Date()));
  }
  if (options.json) console.log(JSON.stringify(results, undefined, 2));
  else console.log(`\n${formatTable(all.tableHead, results.map(all.cellsOf))}`);
  // Comparing is about the others, too, but what counts is Moat, or the one broker that was attacked.
  const lost = results.filter(({ peer, faults }) => faults.length > 0 && (!options.compare || peer === moat.name));
  if (lost.length > 0) throw new CommandError(1, 'not survived', { isTold: true });
}

function choose(names: readonly string[], drills: readonly Drill[]): readonly Drill[] {
  const unknown = names.find((name) => !drills.some((drill) => drill.name === name));
  if (unknown !== undefined)
    throw usageError(`there is no drill ${unknown}: ${drills.map(({ name }) => name).join(', ')}`);
  return names.length === 0 ? drills : drills.filter(({ name }) => names.includes(name));
}

function list(drills: readonly Drill[], json: boolean): void {
  if (json) {
    const described = drills.map(({ name, summary, seenIn, unit, intensity }) => ({
      name,
      summary,
      seenIn,
      unit,
      intensity,
    }));
    return console.log(JSON.stringify(described, undefined, 2));
  }
  const rows = drills.map(({ name, summary, unit, intensity: { full } }) => [
    name,
    summary,
    `${full.count} ${unit}, ${full.seconds} s`,
  ]);
  console.log(formatTable(['ATTACK', 'WHAT', 'AT MOST'], rows));
}

async function targetOf(text: string, { username, iOwnThisBroker }: DrillOptions) {
  const { targetAt } = await import('@moat/drills');
  const at = (credentials: Credentials | undefined) => {
    try {
      return targetAt(text, credentials);
    } catch (error) {
      throw usageError((error as Error).message);
    }
  };
  const { host } = at(undefined).address;
  if (!isLoopback(host) && !iOwnThisBroker)
    throw usageError(`${host} is not this machine; --i-own-this-broker if you may attack it`);
  if (username === undefined) return at(undefined);
  const { MOAT_PASSWORD: password } = process.env;
  return at({ username, password: password ?? (await askPassword(`Password of ${username}: `)) });
}

/** Tells each attempt as it ends; those that a right broker does not let through in red. */
function telling(): Watcher {
  const style = styleFor(process.stdout);
  return {
    begun: ({ name, summary }, peer) => console.log(`\n${style('bold', `${name}, ${peer}`)}: ${summary}`),
    attempted: ({ tried, happened, survived }: Attempt) =>
      console.log(`  ${survived ? style('green', 'ok  ') : style('red', 'FAIL')} ${tried}: ${happened}`),
    ended: ({ drill, peer, skipped, faults }: Result) => {
      if (skipped !== undefined) console.log(`\n${style('bold', `${drill}, ${peer}`)}: not tried: ${skipped}`);
      else if (faults.length > 0) console.log(style('red', `  not survived: ${faults.at(-1)}`));
    },
  };
}
