import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '@moat/testkit';

const asABroker = ['sh', fileURLToPath(new URL('../node.sh', import.meta.url))] as const;
const asItComes = [process.execPath] as const;

/** What a script prints, run by Node.js with these options. */
async function printed([command, ...first]: readonly [string, ...string[]], ...more: string[]): Promise<string> {
  const { stdout, stderr } = await run(command, [...first, ...more], { timeout: 60_000 });
  assert.equal(stderr, '');
  return stdout.trim();
}

test('V8 has four megabytes for what is young, where it would begin with one', async () => {
  const script = "v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20";
  assert.equal(await printed(asABroker, '-p', script), '4');
  assert.equal(await printed(asItComes, '-p', script), '1');
});

test('V8 collects nothing in quiet times to save memory, where it would', async () => {
  const script = `
    const { NODE_PERFORMANCE_GC_MAJOR: major, NODE_PERFORMANCE_GC_FLAGS_FORCED: forced } = perf_hooks.constants;
    let collections = 0;
    const observer = new perf_hooks.PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) if (detail.kind === major && detail.flags !== forced) collections++;
    });
    let garbage = Array.from({ length: 500_000 }, (_, index) => ({ index }));
    garbage = undefined;
    gc();
    setTimeout(() => observer.observe({ entryTypes: ['gc'] }));
    setTimeout(() => console.log(collections > 0 ? 'collected' : 'left alone'), 25_000);
  `;
  // It waits for eight seconds, and often for eight more, for whether the process is busy.
  const soon = ['--expose-gc', '--gc-memory-reducer-start-delay-ms=1', '-e', script];
  const found = await Promise.all([asABroker, asItComes].map((node) => printed(node, ...soon)));
  assert.deepEqual(found, ['left alone', 'collected']);
});
