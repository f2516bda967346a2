/** Scanning and connecting through both published nobles, over a controller that fails as it is told to. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { liveClock } from '../../../host/clock-live.js';
import { silentLog } from '../../../protocol/log.js';
import type { Log } from '../../../protocol/log.js';
import { BleCentral } from '../../../radio/ble/ble-central.js';
import { BleScanner } from '../../../radio/ble/ble-scanner.js';
import { DEFAULT_TIMES } from '../../../radio/ble/ble-times.js';
import { Controller } from '../../../radio/ble/controller.js';
import { hciSocketFor } from '../../../radio/ble/hci-socket.js';
import { logWarnings } from '../../../radio/ble/noble-warnings.js';
import { eventOf } from '../../../radio/ble/settle.js';
import { loadNoble } from '../../../radio/ble/stack.js';
import { ModelScan, noFault } from './model-scan.js';

const GATEWAY = 'c10203040506';
const lines: string[] = [];
const say: Log['warn'] = (message, fields) =>
  void lines.push(`${message} ${fields?.['reason'] ?? ''}`.trim());
const log: Log = { info: say, warn: say, error: say };
const unreachable = { code: 'unreachable' };

/** noble cannot be let go of again: one of each family is all there is in this process. */
function open(stack: 'abandonware' | 'stoprocent') {
  const controller = new Controller(silentLog, { intervalMs: 100, windowMs: 30 });
  const model = new ModelScan((packet) => controller.fromWire(packet));
  controller.attach(model);
  const noble = loadNoble(stack, hciSocketFor(controller));
  logWarnings(noble, log);
  const scanner = new BleScanner({ noble, controller, clock: liveClock(), log });
  const times = { ...DEFAULT_TIMES, discoverMs: 2_000, connectMs: 300 };
  const central = new BleCentral({ noble, controller, scanner, times });
  controller.events = {
    onAdvert: (report) => {
      central.hear(report);
      scanner.hear(report);
    },
    onConnected: (handle) => central.connected(handle),
    onDisconnected: (handle) => central.disconnected(handle),
  };
  /** Begins to connect to an advertiser that is heard, and then never answers. */
  const connect = async (): Promise<unknown> => {
    model.hear(GATEWAY);
    return central.connect(GATEWAY).catch((error: unknown) => error);
  };
  return { controller, model, noble, scanner, connect };
}

describe.each(['abandonware', 'stoprocent'] as const)('noble of %s', (stack) => {
  let radio: ReturnType<typeof open>;
  beforeAll(async () => {
    radio = open(stack);
    await eventOf(radio.noble, 'stateChange', 10_000, () => undefined);
  });
  beforeEach(async () => {
    radio.model.fault = noFault;
    radio.model.isStrict = true;
    await radio.scanner.stop();
    await expect.poll(() => radio.model.isOn).toBe(false);
    lines.length = 0;
  });

  it('connects again after the adapter was pulled out in a connection attempt', async () => {
    const { controller, model, connect } = radio;
    const first = connect();
    const before = model.attempts;
    await expect.poll(() => model.attempts, { interval: 5 }).toBe(before + 1);
    model.pull();
    controller.wireChanged(false);
    expect(await first).toMatchObject(unreachable);
    model.isThere = true;
    controller.wireChanged(true);
    expect(await connect()).toMatchObject(unreachable);
    expect(model.attempts).toBe(before + 2);
  });

  it('that connected to nobody says nothing of it, and nobody’s address', async () => {
    const { model, connect } = radio;
    const before = model.attempts;
    expect(await connect()).toMatchObject(unreachable);
    expect(await connect()).toMatchObject(unreachable);
    expect(model.attempts).toBe(before + 2); // the second only after the end of the first was said
    expect(lines).toEqual([]);
  });
});
