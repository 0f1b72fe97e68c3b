import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { auditCodes } from '../../dist/audit/audit.js';

describe('The reference page of events', () => {
  it('has every code, and no other', async () => {
    const page = await readFile(new URL('../../../../docs/reference/events.md', import.meta.url), 'utf8');
    const codes = [...page.matchAll(/^\| `([a-z]+\.[a-z_]+)` \|/gm)].map(([, code]) => code);
    assert.deepEqual(codes.toSorted(), [...auditCodes].toSorted());
  });
});
