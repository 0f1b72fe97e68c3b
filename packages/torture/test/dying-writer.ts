import { SteppingStore } from './stepping-store.js';

// `node dying-writer.js DIRECTORY STEP`: makes one retained message after another durable and writes its number then; at
// that step of a commit it is killed.

const [, , directory = '', at = ''] = process.argv;
const stepping = await SteppingStore.open(directory, 'dies');
stepping.arm(Number(at));
for (let number = 1; number <= 2; number++) {
  for (const half of ['a', 'b'])
    stepping.store.putRetained(
      {
        topic: `${half}/${number}`,
        payload: Buffer.alloc(1_000, number),
        qos: 1,
        retain: true,
        properties: undefined,
        expiresAt: Number.POSITIVE_INFINITY,
        publisher: undefined,
      },
      undefined,
    );
  await stepping.store.commit();
  process.stdout.write(`${number}\n`);
}
await stepping.store.close();
