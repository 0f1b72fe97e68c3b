/**
 * Over with the drill, or after so many seconds.
 *
 * `AbortSignal.any` of a signal and `AbortSignal.timeout` does not do: Node.js 20 lets garbage collection take the timeout, which
 * then never is over.
 */
export function within(signal: AbortSignal, seconds: number): AbortSignal {
  const own = new AbortController();
  const abort = (): void => {
    clearTimeout(timer);
    own.abort();
  };
  const timer = setTimeout(abort, seconds * 1_000).unref();
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return own.signal;
}
