import { InvalidArgumentError } from 'commander';

/** A parser of whole numbers for an option. */
export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

export const portNumber = integer(1, 65_535);

/** A parser of positive numbers, fractions too. */
export function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
}

/** Gathers an option that may be given several times. */
export function gather(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

const secondsOf = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** A parser of durations such as `90s`, `15m`, `12h` and `7d`, in seconds. */
export function durationArgument(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (number === undefined)
    throw new InvalidArgumentError('It must be a number and its unit, such as 90s, 15m, 12h or 7d.');
  return Number(number) * secondsOf[unit as keyof typeof secondsOf];
}
