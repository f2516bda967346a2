/** An adapter may stay broken for days: its log says so once, and once that it is well. */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { liveClock } from '../../../host/clock-live.js';
import { silentLog } from '../../../protocol/log.js';
import type { Log } from '../../../protocol/log.js';
import { BleScanner } from '../../../radio/ble/ble-scanner.js';
import { Controller } from '../../../radio/ble/controller.js';
import { OPCODE, commandPacket } from '../../../radio/ble/hci-packets.js';
import { restarterOf } from '../../../radio/ble/restart-role.js';
import { ModelScan } from './model-scan.js';

function lines(): { readonly log: Log; readonly said: string[] } {
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  return { log: { ...silentLog, info: say, warn: say, error: say }, said };
}

describe('a role that cannot be taken up again', () => {
  it('is tried again and again, and said once until it is', async () => {
    const { log, said } = lines();
    let attempts = 0;
    let isBroken = true;
    const restart = async (): Promise<void> => {
      attempts += 1;
      if (isBroken) throw new Error('no answer');
    };
    const onState = restarterOf({ role: 'scanning', restart, isUp: () => true, log, pauseMs: 5 });
    onState('poweredOn');
    await expect.poll(() => attempts).toBeGreaterThan(5);
    const failed = 'scanning could not be taken up again; it is tried until it is';
    const changed = 'the Bluetooth controller changed its state';
    expect(said).toEqual([changed, failed]);
    isBroken = false;
    await expect.poll(() => said.slice(2)).toEqual(['scanning is taken up again']);
    const before = attempts;
    await sleep(30);
    expect(attempts).toBe(before);
    isBroken = true;
    onState('poweredOn');
    await expect.poll(() => said.slice(3)).toEqual([changed, failed]);
    isBroken = false;
  });

  it('is left alone while the controller is gone, and said no second time when it comes back broken', async () => {
    const { log, said } = lines();
    let attempts = 0;
    const restart = async (): Promise<void> => {
      attempts += 1;
      throw new Error('no answer');
    };
    const onState = restarterOf({ role: 'advertising', restart, isUp: () => false, log, pauseMs: 5 });
    for (const state of ['poweredOn', 'poweredOff', 'poweredOn']) onState(state);
    await sleep(50);
    expect(attempts).toBe(2);
    expect(said.filter((line) => line.startsWith('advertising'))).toHaveLength(1);
  });
});

describe('a scan that cannot be switched', () => {
  it('is tried until it is, and said once', async () => {
    const { log, said } = lines();
    const { scanner, library } = scanning(log);
    await scanner.start(() => undefined);
    await scanner.hold();
    library.isBroken = true;
    await scanner.release();
    await expect.poll(() => library.starts).toBeGreaterThan(3);
    expect(said).toEqual(['the scan could not be switched; it is tried until it is']);
    await scanner.hold(); // it is not well for that
    await scanner.release();
    expect(said).toHaveLength(1);
    library.isBroken = false;
    await expect.poll(() => said.slice(1)).toEqual(['the scan is switched again as it should be']);
  });
});

/** A scanner over a library that may fail to start scanning. */
function scanning(log: Log) {
  const controller = new Controller(silentLog, { intervalMs: 100, windowMs: 30 });
  controller.attach(new ModelScan((packet) => controller.fromWire(packet)));
  const enable = (isOn: boolean): void =>
    controller.fromLibrary(commandPacket(OPCODE.setScanEnable, Buffer.of(Number(isOn), 0)));
  const library = Object.assign(new EventEmitter(), {
    isBroken: false,
    starts: 0,
    startScanning: () => {
      library.starts += 1;
      if (library.isBroken) throw new Error('no such device');
      enable(true);
    },
    stopScanning: () => enable(false),
  });
  const scanner = new BleScanner({ noble: library, controller, clock: liveClock(), log, retryMs: 20 });
  onTestFinished(() => {
    scanner.close();
    controller.close();
  });
  return { scanner, library };
}
