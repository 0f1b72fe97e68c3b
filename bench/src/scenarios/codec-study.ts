import { ratioOf } from '../format.js';
import { judge, type Verdict } from '../outcome.js';
import type { Study } from '../study.js';
import { type CodecFigures, type CodecRate, codecScenario } from './codec.js';

/** Shares of mqtt-packet's CPU per packet that the codec may take, for the mixture of packets. */
const floors = { parse: 1 / 5, encode: 1 / 4 } as const;

/** The codec against mqtt-packet: parsing and encoding. */
export const codecStudy: Study = {
  name: 'codec',
  run() {
    const figures = codecScenario();
    return {
      table: {
        title: 'Codec, million packets per second of CPU',
        head: ['packets', 'MQTT', 'parse', 'mqtt-packet', 'ratio', 'encode', 'mqtt-packet', 'ratio'],
        rows: figures.map(({ kind, version, parse, encode }) => ({
          cells: [kind, version === 5 ? '5.0' : '3.1.1', ...cells(parse), ...cells(encode)],
        })),
      },
      verdicts: figures.filter(({ kind }) => kind.startsWith('mixed')).flatMap(verdictsOf),
    };
  },
};

function cells({ moat, mqttPacket, ratio }: CodecRate): string[] {
  return [(moat / 1e6).toFixed(2), (mqttPacket / 1e6).toFixed(2), ratio.toFixed(1)];
}

function verdictsOf(figures: CodecFigures): Verdict[] {
  return (['parse', 'encode'] as const).map((what) => {
    return {
      title: `codec, MQTT ${figures.version === 5 ? '5.0' : '3.1.1'}`,
      quantity: `CPU to ${what}`,
      ...judge({ atMost: floors[what] }, 1 / figures[what].ratio, ratioOf('mqtt-packet')),
    };
  });
}
