import { guardCostStudy } from '../guard/cost.js';
import type { Part } from '../part.js';
import { moat } from '../peer/moat.js';

export const guardPart: Part = {
  name: 'guard',
  title: 'A message under guard',
  page: 'performance/guard.md',
  scenarios: [],
  studies: [guardCostStudy],
  peers: [moat('memory')],
  about: () => `\
Two brokers at a time, one with the profile \`off\` and one with \`standard\`, whose rates are counted but so high that the load does not
reach them; all else is the same, and as on [the page of all](../performance.md). Broker and load have a core each. The two are
measured in turns, five times each, and fifteen fresh pairs one after the other; the ratio is the median of the pairs'.
`,
};
