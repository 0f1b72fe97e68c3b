import { styleText } from 'node:util';

export type Style = (style: 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan', text: string) => string;

/** Colours for a terminal; none when piped or when NO_COLOR is set (https://no-color.org). */
export function styleFor(stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv = process.env): Style {
  const { NO_COLOR: plain } = environment;
  const colourful = stream.isTTY === true && !plain;
  return (style, text) => (colourful ? styleText(style, text, { validateStream: false }) : text);
}
