import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runModule } from './helpers/child.js';

test('the encoder is loaded by those who sign, and not by those who only read', async () => {
  const source = `
    import { createRequire } from 'node:module';
    const { cache } = createRequire(import.meta.url);
    const loaded = () => Object.keys(cache).some((path) => path.includes('@peculiar'));
    const { createAuthority, describeCertificate, needsRenewal } = await import(process.argv[1]);
    const states = [loaded()];
    const { certificate } = await createAuthority({ now: new Date() });
    states.push(loaded());
    console.log(JSON.stringify(states));`;
  assert.deepEqual(JSON.parse(await runModule(source, import.meta.resolve('@moat/pki'))), [false, true]);
});
