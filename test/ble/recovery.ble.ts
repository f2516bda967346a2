/** A controller that goes away and comes back without its state, as a dongle that is pulled and put back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sighting } from '../../radio/contract.js';
import type { RadioStage } from '../contracts/radio-contract.js';
import { startEmulator } from './emulator.js';
import type { Emulator } from './emulator.js';
import { openRecorder } from './hci-recorder.js';
import type { Recorder } from './hci-recorder.js';
import { bleStage } from './stages.js';

const ADDRESS = 'c0ffee000001';
const advert = {
  address: ADDRESS,
  advert: Uint8Array.of(2, 1, 6),
  txPowerDbm: 0,
  intervalMs: 50,
  phaseMs: 0,
  jitter: 0.1,
  connectable: true,
};

describe.each(['abandonware', 'stoprocent'] as const)('a Bluetooth radio of %s', (stack) => {
  let folder: string;
  let emulator: Emulator;
  let recorder: Recorder;
  let stage: RadioStage;
  let through: string;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'ble-recovery-'));
    emulator = await startEmulator();
    through = join(folder, 'controllers.sock');
    recorder = await openRecorder(through, emulator.socket);
  });
  afterEach(async () => {
    await stage.close();
    await recorder.close();
    await emulator.stop();
    rmSync(folder, { recursive: true });
  });

  const until = async (what: () => boolean): Promise<void> => {
    for (let tries = 0; !what(); tries++) {
      expect(tries, 'waited too long').toBeLessThan(1_500);
      await stage.pass(10);
    }
  };

  it.each([
    ['the tag', true],
    ['the gateway', false],
  ])('takes its roles up again when the controllers of %s come back', async (_, isTag) => {
    const [direct, cut] = [`unix:${emulator.socket}`, `unix:${through}`];
    stage = await bleStage(
      stack,
      isTag ? [cut, cut] : [direct, direct],
      isTag ? [direct, direct] : [cut, cut],
    );
    const heard: Sighting[] = [];
    let clients = 0;
    await stage.tag.scanner.start((sighting) => heard.push(sighting));
    await stage.gateway.server.start(() => {
      clients += 1;
      return {
        onRead: async () => Uint8Array.of(42),
        onWrite: async () => undefined,
        onClosed: () => (clients -= 1),
      };
    });
    await stage.gateway.advertiser.set(advert);
    const link = await stage.tag.central.connect(ADDRESS);
    recorder.cut();
    await link.close(); // the tag's controller knows, or the tag finds out by closing
    await until(() => clients === 0); // a tag that is gone says nothing: the gateway has waited long enough for it
    const before = heard.length;
    await until(() => heard.length > before + 3);
    const again = await stage.tag.central.connect(ADDRESS);
    expect(heard.every(({ address }) => address === ADDRESS)).toBe(true); // and never the adapter's own
    expect(await again.read('hello')).toEqual(Uint8Array.of(42));
  });
});
