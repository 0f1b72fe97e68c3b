import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('V8 knows the flag for how much is inlined: one that it does not know it tells on standard error', () => {
  const told = (script: string): string =>
    spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).stderr;
  const module = new URL('../../dist/setup/inline-further.js', import.meta.url).href;
  assert.equal(told(`import { inlineFurther } from ${JSON.stringify(module)}; inlineFurther();`), '');
  assert.match(told("import v8 from 'node:v8'; v8.setFlagsFromString('--no-such-flag');"), /unrecognized flag/);
});
