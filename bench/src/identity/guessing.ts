import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LoadProcess } from '@moat/cli/load';
import { removeDirectory, scratchDirectory } from '@moat/testkit';
import { medianOf } from '../median.js';
import { judge, type Verdict } from '../outcome.js';
import { makeCertificate } from '../peer/certificate.js';
import { startMoat } from '../peer/moat.js';
import { type Broker, host } from '../peer/peer.js';
import { relay } from '../peer/relay.js';
import type { Effort } from '../scenario.js';
import type { Study } from '../study.js';
import { passwordFileOf, userName } from './users.js';

/** CONNECTs with a wrong password a second, from so many addresses. */
const guesses = 200;
const addresses = 50;
const load = { kind: 'traffic', publishers: 50, subscribers: 50, qos: 0, payloadBytes: 64, window: 64 } as const;
const messages = 2_000;
const mostRise = 1.1;
/** Short measurements in turns: what else the machine does then falls on both sides. */
const turns = 10;
/** Until as many guesses wait as may. */
const settleMs = 500;
/** For which it is guessed before it is measured: who guesses is locked out by then, where that is done. */
const firstMs = 10_000;

/** What messages took, in milliseconds at the 99th percentile: the medians of all turns. */
interface Latencies {
  readonly without: number;
  readonly during: number;
  /** Guesses that were answered with a refusal. */
  readonly refused: number;
}

/**
 * What those who are connected notice of somebody who guesses passwords, beside what they notice of as many connections to a
 * relay, which checks no password.
 */
export const guessingStudy: Study = {
  name: 'identity-guessing',
  async run(effort, say) {
    const directory = scratchDirectory();
    const certificate = await makeCertificate(scratchDirectory());
    writeFileSync(join(directory, 'passwords'), passwordFileOf(10));
    const start = (more: object): Promise<Broker> =>
      startMoat(directory, certificate, {
        authentication: { allow_anonymous: true, password_file: 'passwords' },
        authorization: { default: 'allow' },
        storage: { engine: 'memory' },
        log: { level: 'error' },
        ...more,
      });
    try {
      const guarded = await measure('moat', await start({ limits: { profile: 'standard' } }), effort, say);
      const checked = await measure('moat without limits', await start({}), effort, say);
      const bare = await measure('relay', await relay.start(directory, certificate), effort, say);
      const beside = await measure(
        'relay, and checks beside it',
        await relay.start(directory, certificate),
        effort,
        say,
        fork(fileURLToPath(new URL('./checks-beside.js', import.meta.url))),
      );
      const verdict = (title: string, measured: Latencies, bound: Latencies): Verdict => ({
        title: `${guesses} wrong passwords a second, ${title}`,
        quantity: 'p99 latency of others',
        ...judge({ atMost: mostRise }, rise(measured), (value) => `${value.toFixed(2)} of that without`, rise(bound)),
      });
      return {
        table: {
          title: `${messages.toLocaleString('en-US')} messages a second between ${load.publishers} pairs, while somebody guesses ${guesses} passwords a second`,
          head: ['', 'p99 without, ms', 'p99 with guesses, ms', 'with ÷ without'],
          rows: [
            row('moat as it comes: who guesses is locked out', guarded),
            row('moat without limits: every guess is checked', checked),
            row('relay, which checks none', bare),
            row('relay, and a process beside it that checks', beside),
          ],
        },
        verdicts: [
          verdict('as it comes', guarded, bare),
          verdict(`${checked.refused.toLocaleString('en-US')} of them checked`, checked, beside),
        ],
      };
    } finally {
      removeDirectory(directory);
    }
  },
};

const rise = ({ without, during }: Latencies): number => during / without;

function row(name: string, measured: Latencies): { cells: string[] } {
  const { without, during } = measured;
  return { cells: [name, without.toFixed(2), during.toFixed(2), rise(measured).toFixed(2)] };
}

async function measure(
  name: string,
  broker: Broker,
  { durationMs, repeat, warmUpMs }: Effort,
  say: (line: string) => void,
  beside?: ChildProcess,
): Promise<Latencies> {
  const traffic = await LoadProcess.open({ ...load, target: broker.plain, perSecond: messages });
  try {
    await traffic.run(warmUpMs);
    const first = startGuessing(broker);
    await wait(firstMs);
    await first.stop();
    const quiet: number[] = [];
    const guessed: number[] = [];
    let refused = 0;
    for (let turn = 0; turn < turns * repeat; turn++) {
      quiet.push((await traffic.run(durationMs / 3)).latency.p99);
      const attack = startGuessing(broker);
      beside?.send('go');
      await wait(settleMs);
      guessed.push((await traffic.run(durationMs / 3)).latency.p99);
      refused += await attack.stop();
      beside?.send('rest');
      say(`${name}: p99 ${quiet.at(-1)?.toFixed(2)} ms, with guesses ${guessed.at(-1)?.toFixed(2)} ms`);
    }
    return { without: medianOf(quiet), during: medianOf(guessed), refused };
  } finally {
    traffic.kill();
    beside?.disconnect();
    await broker.stop();
  }
}

/** Each guess on a connection of its own; `stop` waits for the answers under way and says how many were refused. */
function startGuessing({ plain }: Broker): { stop(): Promise<number> } {
  let next = 0;
  let refused = 0;
  const open = new Set<Promise<void>>();
  const guess = (): void => {
    const index = next++;
    const socket = connect({ host, port: plain.port, localAddress: `127.0.0.${2 + (index % addresses)}` });
    const done: Promise<void> = new Promise((resolve) => {
      socket.on('data', ([type = 0, , , code = 0]) => {
        if (type === 0x20 && code !== 0) refused++;
        socket.destroy();
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => resolve());
    });
    open.add(done);
    void done.finally(() => open.delete(done));
    socket.write(connectPacket(userName(index % 10), `guess-${index}`));
  };
  const startedAt = performance.now();
  const timer = setInterval(() => {
    while (next < ((performance.now() - startedAt) / 1000) * guesses) guess();
  }, 5);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      return refused;
    },
  };
}

/** CONNECT of MQTT 3.1.1 with the client ID, the name, and a password that is guessed. */
function connectPacket(username: string, password: string): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
  const body = Buffer.concat([
    text('MQTT'),
    Buffer.from([4, 0xc2, 0, 60]),
    text(password),
    text(username),
    text(password),
  ]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}
