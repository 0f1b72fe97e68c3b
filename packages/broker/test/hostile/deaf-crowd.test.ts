import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { waitFor } from '@moat/testkit';
import { connected, ping, readPacket, startBroker } from '../support/broker.js';
import { publish, subscribe } from '../support/packets.js';
import type { RawClient } from '../support/raw-client.js';

/*
 * Many subscribers that never read, each of messages of its own, at every QoS: what waits for all of them has a bound that
 * no burst between two looks of the overload exceeds.
 */
const limit = 2_000_000;
const ceiling = 1.5 * limit;
const crowd = 12;
/** What each client may have waiting whatever the others have, and the memory it lies in. */
const spared = 2 * 16_384;
const payload = 'x'.repeat(60_000);

const { broker, port, stop } = await startBroker({
  limits: { max_buffered_bytes: limit, max_outgoing_buffer: 8_000_000, stuck_timeout: 600 },
});
after(stop);

describe('A crowd that does not read', () => {
  for (const qos of [0, 1, 2] as const)
    it(`never has more waiting than there may be, at QoS ${qos}, and leaves nothing behind`, async () => {
      const deaf: RawClient[] = [];
      for (let index = 0; index < crowd; index++) {
        const client = await connected(port, 5, { clientId: `deaf${qos}-${index}` });
        client.send(subscribe(5, 1, { [`to/${index}`]: qos }));
        await readPacket(client);
        client.socket.pause();
        deaf.push(client);
      }
      const [speaker, bystander] = [await connected(port, 4), await connected(port, 4)];
      speaker.socket.resume();
      let most = 0;
      const isFelt = (): boolean => {
        const { dropped, guard } = broker.status();
        return dropped.slow_reader + dropped.queue_full > before || guard.overload.steps.length > 0;
      };
      const { dropped } = broker.status();
      const before = dropped.slow_reader + dropped.queue_full;
      let after = 0;
      // The systems of both sides take some megabytes for each of them first; then a little longer.
      for (let round = 0; after < 10 && round < 400; round++) {
        if (most > limit / 4 && isFelt()) after++; // on a busy machine it is overloaded before
        // All of a round is written at once, and most of it is read at once.
        let packets = '';
        for (let index = 0; index < crowd; index++)
          packets += publish(4, `to/${index}`, payload, { qos, packetId: 1 + ((round * crowd + index) % 500) });
        speaker.send(packets);
        await ping(bystander);
        most = Math.max(most, broker.status().guard.overload.buffered);
      }
      assert.ok(isFelt());
      assert.ok(most > limit / 4, `${most} bytes`);
      assert.ok(most <= ceiling + crowd * spared, `${most} bytes`);
      for (const client of [...deaf, speaker, bystander]) client.socket.destroy();
      await waitFor(() => broker.status().guard.overload.buffered === 0);
      await waitFor(() => broker.status().guard.overload.steps.length === 0, { timeout: 60_000 });
    });
});
