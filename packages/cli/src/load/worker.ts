/** The load process: does what its parent asks, one thing after the other, and ends with it. */
import { type Load, openLoad, type Plan } from './plan.js';

export type Request =
  | { readonly do: 'open'; readonly plan: Plan }
  | { readonly do: 'run'; readonly amount: number }
  | { readonly do: 'close' };

export type Reply = { readonly result: unknown } | { readonly error: string };

let load: Load | undefined;

async function obey(request: Request): Promise<unknown> {
  if (request.do === 'open') {
    load = await openLoad(request.plan);
    return undefined;
  }
  if (load === undefined) throw new Error('no load is open');
  return request.do === 'run' ? load.run(request.amount) : load.close();
}

process.on('message', (request: Request) => {
  obey(request).then(
    (result) => process.send?.({ result } satisfies Reply),
    (error: Error) => process.send?.({ error: error.message } satisfies Reply),
  );
});
process.on('disconnect', () => process.exit());
