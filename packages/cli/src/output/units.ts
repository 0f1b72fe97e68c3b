const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `1536` is `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  return `${step === 0 ? bytes : (bytes / 1024 ** step).toFixed(1)} ${units[step]}`;
}

/** `93784` seconds are `1 d 2 h 3 min`; less than a minute is told in seconds. */
export function formatDuration(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const parts = [days && `${days} d`, hours && `${hours} h`, minutes && `${minutes} min`].filter(Boolean);
  return parts.length === 0 ? `${Math.floor(seconds)} s` : parts.join(' ');
}

/** Wall-clock milliseconds as `2026-01-31 23:59:59.000`, in UTC. */
export function formatTime(time: number): string {
  return new Date(time).toISOString().replace('T', ' ').replace('Z', '');
}
