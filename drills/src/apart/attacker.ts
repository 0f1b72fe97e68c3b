/** The process of an attack: runs the drill that its parent names, and ends with it. */
import { drills } from '../attacks/index.js';
import type { Target } from '../broker/broker.js';
import type { Amount, Attempt } from '../drill.js';

export interface Order {
  readonly drill: string;
  readonly target: Target;
  readonly amount: Amount;
}

export type Word = { readonly attempt: Attempt } | { readonly ended: string | undefined };

async function obey({ drill: name, target, amount }: Order): Promise<void> {
  const drill = drills.find((each) => each.name === name);
  if (drill?.needs !== 'address') throw new Error(`${name} is not run apart`);
  const signal = AbortSignal.timeout(amount.seconds * 1_000);
  await drill.run({ broker: target, amount, signal, report: (attempt) => say({ attempt }) });
}

function say(word: Word): void {
  process.send?.(word);
}

process.on('message', (order: Order) => {
  obey(order).then(
    () => say({ ended: undefined }),
    (error: Error) => say({ ended: error.message }),
  );
});
process.on('disconnect', () => process.exit());
