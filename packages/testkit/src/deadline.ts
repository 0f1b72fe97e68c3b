/** How long the test kit waits for anything that is not told otherwise, in milliseconds. */
export const patience = 5_000;

/**
 * The outcome of `work`, or an error that says what was awaited: `describe` is asked when the time is over, so that
 * it can tell what had come by then.
 */
export async function withDeadline<T>(work: Promise<T>, describe: () => string, timeout = patience): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${describe()} (waited ${timeout} ms)`)), timeout);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
