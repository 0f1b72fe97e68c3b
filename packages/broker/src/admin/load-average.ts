/** Minutes over which a load average looks back. */
export const loadPeriods = [1, 5, 15] as const;

/** Exponentially weighted rate of a counter per minute, as Mosquitto publishes it. */
export class LoadAverage {
  private last = 0;
  private readonly averages: number[] = loadPeriods.map(() => 0);

  /** Takes the counter's value `seconds` after the one before; returns the averages of {@link loadPeriods}. */
  update(value: number, seconds: number): readonly number[] {
    const perMinute = ((value - this.last) * 60) / seconds;
    this.last = value;
    for (const [index, minutes] of loadPeriods.entries()) {
      const decay = Math.exp(-seconds / (minutes * 60));
      this.averages[index] = perMinute + decay * ((this.averages[index] ?? 0) - perMinute);
    }
    return this.averages;
  }
}
