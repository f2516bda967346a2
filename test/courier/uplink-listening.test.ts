/** Topics that are asked for while the connection comes up: none falls between those asked for before and those after. */
import { expect, onTestFinished, test, vi } from 'vitest';
import type { MqttConnection } from '../../courier/mqtt-connection.js';
import { openMqttUplink } from '../../courier/uplink-mqtt.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { silentLog } from '../../protocol/log.js';

const heard = new Set<string>();

vi.mock('../../courier/mqtt-connection.js', () => ({
  openMqttConnection: async (): Promise<Pick<MqttConnection, 'subscribe' | 'end' | 'closed'>> => {
    let close: (reason: never) => void = () => undefined;
    const closed = new Promise<never>((resolve) => (close = resolve));
    return {
      subscribe: async (topics) => void topics.forEach((topic) => heard.add(topic)),
      end: async () => close(new Error('ended') as never),
      closed,
    };
  },
}));

test('a topic asked for at any moment of the connecting is listened to', async () => {
  for (let quiet = 0; quiet < 12; quiet += 1) {
    heard.clear();
    const uplink = await openMqttUplink({
      url: 'mqtt://127.0.0.1:1883',
      signer: fastSigner(new Uint8Array(32).fill(1)),
      log: silentLog,
      lastWill: '{}',
      startsOffline: true,
    });
    onTestFinished(() => uplink.close());
    for (let k = 0; k < quiet; k += 1) await Promise.resolve();
    await uplink.subscribe(`topic/after ${quiet}`, () => undefined);
    await vi.waitFor(() => expect(uplink.isOnline).toBe(true));
    expect([...heard], `asked for after ${quiet} turns`).toContain(`topic/after ${quiet}`);
  }
});
