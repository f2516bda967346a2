/** A process of its own for tests: hosts an air, or joins one as a gateway that answers reads. See stages.ts. */
import { liveClock } from '../../host/clock-live.js';
import { silentLog } from '../../protocol/log.js';
import { openMemoryAir } from '../../radio/air/air-memory.js';
import { connectAir } from '../../radio/socket/air-socket-client.js';
import { serveAir } from '../../radio/socket/air-socket-server.js';

const [, , role, path = ''] = process.argv;

async function host(): Promise<void> {
  const air = openMemoryAir({ clock: liveClock(), seed: 1, gatt: { timeoutMs: 1_000, latencyMs: 5 } });
  await serveAir({ at: { path }, join: ({ name, place }) => air.join(name, place), log: silentLog });
}

async function serve(): Promise<void> {
  const radio = await connectAir({ at: { path }, name: 'served', place: { x: 1, y: 1 }, patienceMs: 20_000 });
  await radio.server.start(() => ({
    onRead: async () => Uint8Array.of(42),
    onWrite: async () => undefined,
    onClosed: () => undefined,
  }));
  await radio.advertiser.set({
    address: 'c0ffee00000a',
    advert: Uint8Array.of(2, 1, 6),
    txPowerDbm: 0,
    intervalMs: 50,
    phaseMs: 0,
    jitter: 0,
    connectable: true,
  });
}

process.on('disconnect', () => process.exit()); // the test that started us is gone
await (role === 'host' ? host() : serve());
process.send?.('ready');
