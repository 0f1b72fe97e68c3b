/** Part of every day: minutes since midnight, from the first up to but not including the second; it may span midnight. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

export const minutesOfDay = 1_440;

/** Reads `08:00-17:30`; undefined when it is none. */
export function parseWindow(text: string): Window | undefined {
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  const [start, end] = [minutesOf(from), minutesOf(to, minutesOfDay)];
  return start === undefined || end === undefined || start === end % minutesOfDay
    ? undefined
    : { from: start, to: end };
}

/** Minutes since midnight of `08:30`; undefined when it is no time of day. */
export function minutesOf(clock = '', most = minutesOfDay - 1): number | undefined {
  const [, hours, minutes] = (/^(\d\d):(\d\d)$/.exec(clock) ?? []).map(Number);
  if (hours === undefined || minutes === undefined) return undefined;
  const total = hours * 60 + minutes;
  return minutes < 60 && total <= most ? total : undefined;
}

export function isWithin({ from, to }: Window, minute: number): boolean {
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

/** As it is written. */
export function writeWindow({ from, to }: Window): string {
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  return `${clock(from)}-${clock(to)}`;
}

/** The time of day in one time zone. */
export class Clock {
  /** Made when it is first asked for: it costs more than a small policy. */
  #format: Intl.DateTimeFormat | undefined;

  constructor(private readonly timeZone: string) {}

  /**
   * Minutes since midnight. `now` is wall-clock milliseconds.
   * @throws RangeError for a zone that there is not
   */
  minuteOfDay(now: number): number {
    const { timeZone } = this;
    this.#format ??= new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    return minutesOf(this.#format.format(now)) ?? 0;
  }
}
