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
import { OPCODE } from '../../../radio/ble/hci-packets.js';
import { logWarnings } from '../../../radio/ble/noble-warnings.js';
import { eventOf } from '../../../radio/ble/settle.js';
import { loadNoble } from '../../../radio/ble/stack.js';
import { ModelScan, noFault } from './model-scan.js';

const GATEWAY = 'c10203040506';
const ON = 1;
const OFF = 0;
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
  const scanner = new BleScanner({ noble, controller, clock: liveClock(), log, retryMs: 50 });
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

  it.each([
    ['strict', true],
    ['lenient', false],
  ])(
    'does not scan when a %s controller refuses: it is said, and can be tried again',
    async (_, isStrict) => {
      const { model, scanner } = radio;
      model.isStrict = isStrict;
      model.fault = (opcode, byte) =>
        opcode === OPCODE.setScanEnable && byte === ON ? 'refused' : undefined;
      await expect(scanner.start(() => undefined)).rejects.toMatchObject(unreachable);
      model.fault = noFault;
      await scanner.start(() => undefined);
      expect(model.isOn).toBe(true);
    },
  );

  it('scans again after a connection as soon as the controller takes it, and is in trouble until then', async () => {
    const { model, scanner } = radio;
    await scanner.start(() => undefined);
    await scanner.hold();
    model.fault = (opcode, byte) => (opcode === OPCODE.setScanEnable && byte === ON ? 'refused' : undefined);
    await scanner.release();
    await expect.poll(() => scanner.isFailing).toBe(true);
    expect(model.isOn).toBe(false);
    await scanner.hold();
    expect(scanner.isFailing).toBe(true);
    model.fault = noFault;
    await scanner.release();
    expect([scanner.isFailing, model.isOn]).toEqual([false, true]);
    expect(lines).toEqual([
      expect.stringMatching(/^the scan could not be switched; .*refused to switch its scan on/),
      'the scan is switched again as it should be',
    ]);
  });

  it('scans on when a connection could not be begun because one answer was lost', async () => {
    const { model, scanner } = radio;
    await scanner.start(() => undefined);
    model.fault = (opcode, byte) => {
      if (opcode !== OPCODE.setScanEnable || byte !== OFF) return undefined;
      model.fault = noFault;
      return 'unanswered';
    };
    await expect(scanner.hold()).rejects.toMatchObject(unreachable);
    await expect.poll(() => model.isOn).toBe(true);
  });

  it('scans in the end when nothing of a start reached the controller', async () => {
    const { model, scanner } = radio;
    await scanner.start(() => undefined);
    await scanner.hold();
    model.fault = (opcode, byte) => {
      if (opcode === OPCODE.setScanEnable && byte === ON) model.fault = noFault;
      return 'lost';
    };
    await scanner.release();
    await expect.poll(() => model.isOn).toBe(true);
    await scanner.hold();
    expect(model.isOn).toBe(false);
  });
});
