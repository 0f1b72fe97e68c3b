/** Tells the runner, message by message, how the tests of one file go. Runs in the process of that file. */

import { inspect } from 'node:util';

/** A whole failure, without the runner's own frames. */
function describe(error) {
  // node:test wraps what a test threw; a failure of its own, such as a time limit, has a text as its cause.
  const thrown = error.cause instanceof Error ? error.cause : error.message;
  return inspect(thrown, { depth: 5 })
    .split('\n')
    .filter((line) => !/^\s+at .*\(?node:internal/.test(line))
    .join('\n');
}

export default async function* report(source) {
  const path = [];
  for await (const { type, data } of source) {
    if (type === 'test:dequeue') {
      path.length = data.nesting;
      path.push(data.name);
      process.send({ began: path.join(' > ') });
    }
    if (type !== 'test:complete') continue;
    const { details } = data;
    path.length = data.nesting;
    process.send({
      ended: [...path, data.name].join(' > '),
      isSuite: details.type === 'suite',
      passed: details.passed,
      skipped: data.skip ?? data.todo,
      milliseconds: details.duration_ms,
      // A group fails when one of its tests does; that one is told already.
      failure: details.passed || details.error.failureType === 'subtestsFailed' ? undefined : describe(details.error),
    });
  }
  // The signature of a reporter: what it yields would be printed.
  yield '';
}
