import { medianOf } from '../median.js';

/** What a number of messages or connections took, by the names of the numbers. */
export type Cost<Metric extends string> = Readonly<Record<Metric, number>>;

/** A broker that runs, with its load. */
interface Side<Metric extends string> {
  turn(): Promise<Cost<Metric>>;
  close(): Promise<void>;
}

export interface Entrant<Metric extends string> {
  readonly name: string;
  open(): Promise<Side<Metric>>;
}

export interface Effort {
  /** Fresh processes of every entrant. */
  readonly rounds: number;
  /** Turns of each process that do not count, until V8 has compiled what is hot. */
  readonly warmUp: number;
  /** Those that do. */
  readonly turns: number;
}

/** What each entrant took in one turn, by its name. */
type Turn<Metric extends string> = ReadonlyMap<string, Cost<Metric>>;

/**
 * Measures entrants in turns. All of them run, and wait until it is theirs: one is measured right behind the other, so what
 * else the machine does falls on all. Nobody should have to wait for more than some seconds: V8 tidies up then, and forgets much of what it
 * has compiled. `show` is for `say`, which is told of each turn.
 */
export async function takeTurns<Metric extends string>(
  entrants: readonly Entrant<Metric>[],
  effort: Effort,
  show: (cost: Cost<Metric>) => string,
  say: (line: string) => void,
): Promise<Turns<Metric>> {
  const turns: Turn<Metric>[] = [];
  for (let round = 1; round <= effort.rounds; round++) {
    const sides = new Map<string, Side<Metric>>();
    try {
      for (const { name, open } of entrants) sides.set(name, await open());
      for (let turn = 1 - effort.warmUp; turn <= effort.turns; turn++) {
        const costs = new Map<string, Cost<Metric>>();
        for (const [name, side] of sides) costs.set(name, await side.turn());
        const shown = [...costs].map(([name, cost]) => `${name} ${show(cost)}`);
        say(`${round}/${effort.rounds}, ${turn}/${effort.turns}: ${shown.join('; ')}`);
        if (turn > 0) turns.push(costs);
      }
    } finally {
      for (const side of sides.values()) await side.close();
    }
  }
  return new Turns(turns);
}

/** The middle of some shares, and the bounds of their middle half. */
interface Share {
  readonly middle: number;
  readonly from: number;
  readonly to: number;
}

export function showShare({ middle, from, to }: Share): string {
  return `${middle.toFixed(2)} (${from.toFixed(2)} to ${to.toFixed(2)})`;
}

/** Numbers of all turns. */
export class Turns<Metric extends string> {
  constructor(private readonly turns: readonly Turn<Metric>[]) {}

  /** Of one entrant. */
  middle(name: string, metric: Metric): number {
    return medianOf(this.turns.map((turn) => costOf(turn, name)[metric]));
  }

  /**
   * What share an entrant takes of what a peer takes in the same turn. Of a peer that is measured in several settings (`NAME`, `NAME-…`)
   * that one counts which takes less.
   */
  share(name: string, against: string, metric: Metric): Share {
    const shares = this.settingsOf(against).map((setting) =>
      this.turns
        .map((turn) => costOf(turn, name)[metric] / costOf(turn, setting)[metric])
        .sort((one, other) => one - other),
    );
    const at = (sorted: readonly number[], part: number): number =>
      sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
    const [worst = []] = shares.sort((one, other) => at(other, 0.5) - at(one, 0.5));
    return { middle: at(worst, 0.5), from: at(worst, 0.25), to: at(worst, 0.75) };
  }

  private settingsOf(peer: string): string[] {
    return [...(this.turns[0]?.keys() ?? [])].filter((each) => each === peer || each.startsWith(`${peer}-`));
  }
}

function costOf<Metric extends string>(turn: Turn<Metric>, name: string): Cost<Metric> {
  const cost = turn.get(name);
  if (cost === undefined) throw new Error(`${name} was not measured`);
  return cost;
}
