import { describe, it } from 'vitest';
import type { TestContext } from 'vitest';
import { liveClock } from '../../../host/clock-live.js';
import { asUnixMs } from '../../../protocol/brands.js';
import type { Clock } from '../../../protocol/clock.js';
import { silentLog } from '../../../protocol/log.js';
import { BleAdvertiser } from '../../../radio/ble/ble-advertiser.js';
import { Controller } from '../../../radio/ble/controller.js';
import { OPCODE } from '../../../radio/ble/hci-packets.js';
import { ModelController } from './model-controller.js';

/** What epoch `number` sends: its address and its advert are full of that number. */
const settingsOf = (number: number) => ({
  address: `c${number}`.repeat(6),
  advert: new Uint8Array(31).fill(number),
  txPowerDbm: 0,
  intervalMs: 50,
  phaseMs: 0,
  jitter: 0.1,
  connectable: false,
});

/** Tests that run at once have to be told apart by their context. */
function advertising({ expect, onTestFinished }: TestContext, clock: Clock = liveClock()) {
  const controller = new Controller(silentLog, { intervalMs: 100, windowMs: 30 });
  const model = new ModelController((packet) => controller.fromWire(packet));
  controller.attach(model);
  const advertiser = new BleAdvertiser({ controller, clock, log: silentLog });
  controller.events = {
    onUp: (isUp) => (isUp ? void advertiser.restart() : advertiser.suspend()),
  };
  onTestFinished(async () => {
    await advertiser.stop().catch(() => undefined);
    controller.close();
  });
  const onAir = (number: number) =>
    expect.poll(() => model.sent.at(-1), { timeout: 9_000, interval: 20 }).toBe(`c${number} ${number}`);
  return { advertiser, controller, model, onAir };
}

/** A clock whose every sleep the test sees, and ends. */
function sleepsOneByOne() {
  let nowMs = 1_700_006_400_000;
  let asleep: { readonly ms: number; readonly wake: () => void } | undefined;
  const clock: Clock = {
    nowMs: () => asUnixMs(nowMs),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(new Error('aborted'));
        const own = { ms, wake: resolve };
        asleep = own;
        signal?.addEventListener('abort', () => {
          if (asleep === own) asleep = undefined;
          reject(new Error('aborted'));
        });
      }),
  };
  const wake = (): void => {
    const { ms, wake: end } = asleep ?? { ms: 0, wake: () => {} };
    asleep = undefined;
    nowMs += ms;
    end();
  };
  return { clock, wake, pass: (ms: number) => void (nowMs += ms), leftMs: () => asleep?.ms };
}

describe('advertising', () => {
  it('keeps its intervals through another advert under the same address, not through another address', async (context) => {
    const { expect } = context;
    const { clock, wake, pass, leftMs } = sleepsOneByOne();
    const { advertiser, model } = advertising(context, clock);
    const sleeps = (ms: number) => expect.poll(leftMs, { interval: 5 }).toBe(ms);
    const steady = { ...settingsOf(1), intervalMs: 1_000, phaseMs: 900, jitter: 0 };
    await advertiser.set(steady);
    await sleeps(900);
    wake();
    await sleeps(1_000);
    pass(400);
    await advertiser.set({ ...steady, advert: settingsOf(2).advert });
    await sleeps(600);
    wake();
    await sleeps(1_000);
    expect(model.sent).toEqual(['c1 1', 'c1 2']);
    pass(-3_600_000); // the host's clock is set
    await advertiser.set({ ...steady, advert: settingsOf(3).advert });
    await sleeps(1_000);
    pass(100);
    await advertiser.set({ ...steady, ...settingsOf(4), intervalMs: 1_000, phaseMs: 700 });
    await sleeps(700);
  });
});

const STEPS = [
  ['that switches advertising off', OPCODE.setAdvertiseEnable],
  ['with the address', OPCODE.setRandomAddress],
  ['with the parameters', OPCODE.setAdvertisingParameters],
  ['with the advert', OPCODE.setAdvertisingData],
  ['with the scan response', OPCODE.setScanResponse],
] as const;

describe('advertising through a controller that loses a command', () => {
  for (const [step, opcode] of STEPS)
    for (const lost of ['command', 'answer'] as const)
      it.concurrent(
        `${step}${lost === 'answer' ? ' after it was done' : ''}: the next epoch is on the air soon after, and never mixed with the last`,
        async (context) => {
          const { expect } = context;
          const { advertiser, model, onAir } = advertising(context);
          await advertiser.set(settingsOf(1));
          await onAir(1);
          model.lose(opcode, lost);
          await advertiser.set(settingsOf(2)).catch(() => undefined); // it may say so
          await onAir(2);
          await advertiser.set(settingsOf(3));
          await onAir(3);
          expect(model.wasLost).toBe(true);
          expect([...new Set(model.sent)]).toEqual(['c1 1', 'c2 2', 'c3 3']);
        },
        20_000,
      );

  it.concurrent('stops only when the controller has said so, and says when it has not', async (context) => {
    const { expect } = context;
    const { advertiser, model, onAir } = advertising(context);
    await advertiser.set(settingsOf(1));
    await onAir(1);
    model.lose(OPCODE.setAdvertiseEnable, 'command');
    await expect(advertiser.stop()).rejects.toMatchObject({ code: 'timeout' });
    await advertiser.stop();
    expect(model.isOn).toBe(false);
  });

  it.concurrent('tells it to stop until it has, though nobody asks again', async (context) => {
    const { expect } = context;
    const { advertiser, model, onAir } = advertising(context);
    await advertiser.set(settingsOf(1));
    await onAir(1);
    model.lose(OPCODE.setAdvertiseEnable, 'command');
    await expect(advertiser.stop()).rejects.toMatchObject({ code: 'timeout' });
    expect(model.isOn).toBe(true);
    await expect.poll(() => model.isOn).toBe(false);
  });

  it.concurrent('resets it when it will not stop, and is silent after', async (context) => {
    const { expect } = context;
    const { advertiser, model, onAir } = advertising(context);
    await advertiser.set(settingsOf(1));
    await onAir(1);
    model.willNotStop = true;
    await expect(advertiser.stop()).rejects.toMatchObject({ code: 'unreachable' });
    await expect.poll(() => model.resets).toBe(1);
    const { length } = model.sent;
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // past the outage that a reset is
    expect([model.isOn, model.resets, model.sent.length]).toEqual([false, 1, length]);
  });

  it.concurrent(
    'is stopped, and not said to fail, by a reset that comes while it is told to stop',
    async (context) => {
      const { expect } = context;
      const { advertiser, controller, model, onAir } = advertising(context);
      await advertiser.set(settingsOf(1));
      await onAir(1);
      controller.reset();
      await advertiser.stop();
      expect([model.isOn, advertiser.isFailing]).toEqual([false, false]);
    },
  );

  it.concurrent('is not said to fail once it is silent', async (context) => {
    const { expect } = context;
    const { advertiser, model, onAir } = advertising(context);
    await advertiser.set(settingsOf(1));
    await onAir(1);
    model.isStuck = true;
    await expect(advertiser.set(settingsOf(2))).rejects.toMatchObject({ code: 'unreachable' });
    await expect.poll(() => advertiser.isFailing, { interval: 20 }).toBe(true);
    await advertiser.stop();
    expect(advertiser.isFailing).toBe(false);
  });

  it.concurrent(
    'resets it when it refuses every time, and then goes on with the newest epoch',
    async (context) => {
      const { expect } = context;
      const { advertiser, model, onAir } = advertising(context);
      await advertiser.set(settingsOf(1));
      await onAir(1);
      model.isStuck = true;
      await expect(advertiser.set(settingsOf(2))).rejects.toMatchObject({ code: 'unreachable' });
      await onAir(2);
      expect(model.resets).toBe(1);
      expect([...new Set(model.sent)]).toEqual(['c1 1', 'c2 2']);
    },
    20_000,
  );
});
