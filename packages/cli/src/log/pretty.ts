import { escapeControls } from '../output/escape.js';
import type { Style } from '../output/style.js';

const colours = { trace: 'dim', debug: 'dim', info: 'green', warn: 'yellow', error: 'red', fatal: 'red' } as const;

/**
 * A line of the log for a person: time of day, level, message, then the other fields as `name=value`. What clients
 * sent may be in it, so control characters are shown escaped.
 *
 * @param line one JSON object, as pino writes it
 */
export function prettyLine(line: string, style: Style): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const word = String(level);
  const colour = colours[word as keyof typeof colours] ?? 'dim';
  const rest = Object.entries(fields).map(([name, value]) => `${style('dim', `${name}=`)}${readable(value)}`);
  return [
    style('dim', timeOfDay(new Date(Number(time)))),
    style(colour, word.padEnd(5)),
    escapeControls(String(msg ?? '')),
    ...rest,
  ].join(' ');
}

function readable(value: unknown): string {
  const plain = typeof value === 'string' && /^[^\s"=]+$/.test(value);
  return escapeControls(plain ? value : JSON.stringify(value));
}

function timeOfDay(time: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}
