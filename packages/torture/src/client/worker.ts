/** A process in which some of the clients live: `node worker.js DIRECTORY PORT SEED WORKER`. Ends with its parent. */
import { join } from 'node:path';
import { Random } from '@moat/testkit';
import { workers } from '../plan.js';
import { type ClientEvent, now } from '../record/event.js';
import { RecordFile } from '../record/record-file.js';
import { Behaviour, type Phase } from './behaviour.js';
import { SessionClient } from './session-client.js';

/** What the parent asks. */
export interface Request {
  readonly phase: Phase;
}

/** What the worker tells: how far it has got, and in the finale who has still to do something. */
export interface Report {
  readonly sent: number;
  readonly done: number;
  readonly arrived: number;
  readonly phase: Phase | undefined;
  readonly busy: readonly string[];
}

const stepMilliseconds = 10;
const reportMilliseconds = 100;

const [, , directory = '', port = '', seed = '', worker = ''] = process.argv;
let phase: Phase | undefined;

const lives = (workers[Number(worker)] ?? []).map((plan, index) => {
  const path = join(directory, `${plan.id}.jsonl`);
  const record = RecordFile.open<ClientEvent>(path);
  const client = new SessionClient(plan, Number(port), record, path, (topic) => behaviour.arrived(topic));
  const behaviour: Behaviour = new Behaviour(client, new Random(Number(seed) + index * 7_919));
  return { client, behaviour };
});

function report(): Report {
  const sum = (of: 'sent' | 'done' | 'arrived') => lives.reduce((total, { client }) => total + client.counts[of], 0);
  const busy = lives.filter(({ behaviour }) => !behaviour.isDone).map(({ client }) => client.plan.id);
  return { sent: sum('sent'), done: sum('done'), arrived: sum('arrived'), phase, busy };
}

setInterval(() => {
  for (const { behaviour } of lives) behaviour.step(now());
}, stepMilliseconds);
setInterval(() => process.send?.(report()), reportMilliseconds);
process.on('message', (request: Request) => {
  ({ phase } = request);
  for (const { behaviour } of lives) behaviour.begin(request.phase, now());
});
process.on('disconnect', () => process.exit());
