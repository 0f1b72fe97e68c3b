import { join } from 'node:path';
import { loadConnection, renewInto } from '@moat/client';
import { asCommandErrors, openClient } from '../../connection/open-client.js';

/** As the device itself: with what is in its folder, wherever the authority is. */
export async function renewOverMqtt(directory: string, newKey: boolean): Promise<string> {
  const file = join(directory, 'connection.json');
  return asCommandErrors(async () => {
    // Not the device's own client ID: it may be connected.
    const { clientId: _, ...connection } = await loadConnection(file);
    const client = await openClient({ ...connection, renewal: renewInto(file, newKey), reconnect: false }, true);
    try {
      return (await client.renew()).cert;
    } finally {
      await client.close();
    }
  });
}
