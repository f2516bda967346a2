/** noble remembers whoever it hears, for good; it hears of those we connect to, and is made to forget them afterwards. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { liveClock } from '../../host/clock-live.js';
import { silentLog } from '../../protocol/log.js';
import { openBleRadio } from '../../radio/ble/open-ble-radio.js';
import type { Radio } from '../../radio/contract.js';
import type { RadioStage } from '../contracts/radio-contract.js';
import { startEmulator } from './emulator.js';
import type { Emulator } from './emulator.js';
import { openAttacker } from './hci-attacker.js';
import { bleStage } from './stages.js';

const tables = z.object({
  _peripherals: z.record(z.string(), z.unknown()),
  _services: z.record(z.string(), z.unknown()),
  _characteristics: z.record(z.string(), z.unknown()),
  _descriptors: z.record(z.string(), z.unknown()),
  _bindings: z.object({
    _addresses: z.record(z.string(), z.unknown()),
    _handles: z.record(z.string(), z.unknown()),
    _gap: z.object({ _discoveries: z.record(z.string(), z.unknown()) }),
  }),
});
const EMPTY = {
  _peripherals: {},
  _services: {},
  _characteristics: {},
  _descriptors: {},
  _bindings: { _addresses: {}, _handles: {}, _gap: { _discoveries: {} } },
};

describe('noble', () => {
  let emulator: Emulator;
  let tag: Radio;
  let gateways: RadioStage;
  /** The one noble of this process, which the radio loaded. */
  const noble = () => tables.parse(createRequire(import.meta.url)('@abandonware/noble'));
  beforeAll(async () => {
    emulator = await startEmulator();
    const unix = { kind: 'unix', path: emulator.socket } as const;
    const settings = { scanAdapter: unix, advertiseAdapter: unix, clock: liveClock(), log: silentLog };
    tag = await openBleRadio({ ...settings, stack: 'abandonware' });
    const pair = [`unix:${emulator.socket}`, `unix:${emulator.socket}`] as const;
    gateways = await bleStage('abandonware', pair);
    await gateways.gateway.server.start(() => ({
      onRead: async () => Uint8Array.of(42),
      onWrite: async () => undefined,
      onClosed: () => undefined,
    }));
  });
  afterAll(async () => {
    await tag?.close();
    await gateways?.close();
    await emulator?.stop();
  });

  it('forgets a gateway when the visit is over', async () => {
    for (let visit = 1; visit <= 5; visit++) {
      const address = `c0ffee00000${visit}`;
      const advert = { advert: Uint8Array.of(2, 1, 6), txPowerDbm: 0, phaseMs: 0, jitter: 0.1 };
      await gateways.gateway.advertiser.set({ ...advert, address, intervalMs: 50, connectable: true });
      const link = await tag.central.connect(address);
      expect(Object.keys(noble()._peripherals)).toEqual([address]);
      await link.close();
    }
    expect(noble()).toEqual(EMPTY);
  });

  it('never hears of advertisers nobody connects to, while the tag hears them all', async () => {
    const heard = new Set<string>();
    await tag.scanner.start(({ address }) => heard.add(address));
    const crowd = await openAttacker(emulator.socket, 'd0d0d0d0d0d0');
    const addresses = Array.from({ length: 300 }, (_, i) => `dada0000${i.toString(16).padStart(4, '0')}`);
    for (const address of addresses) {
      crowd.advertise(address, Uint8Array.of(2, 1, 6));
      await gateways.pass(2); // the emulator falls out of step with one who writes much at once
    }
    for (let tries = 0; heard.size < 300 && tries < 500; tries++) await gateways.pass(10);
    expect([...heard].filter((address) => address.startsWith('dada'))).toEqual(addresses);
    expect(noble()).toEqual(EMPTY);
    crowd.close();
  });

  it('is there once: a second radio in the process is refused', async () => {
    const unix = { kind: 'unix', path: emulator.socket } as const;
    const settings = { scanAdapter: unix, advertiseAdapter: unix, clock: liveClock(), log: silentLog };
    await expect(openBleRadio({ ...settings, stack: 'abandonware' })).rejects.toMatchObject({
      code: 'exists',
    });
  });
});
