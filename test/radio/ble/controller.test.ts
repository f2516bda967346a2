import { expect, it } from 'vitest';
import { silentLog } from '../../../protocol/log.js';
import { Controller } from '../../../radio/ble/controller.js';
import { CONNECT_CANCELLED, OPCODE, commandPacket } from '../../../radio/ble/hci-packets.js';
import { ModelScan } from './model-scan.js';

it('a library that would connect while the controller is away is told that the attempt has ended', async () => {
  const controller = new Controller(silentLog, { intervalMs: 100, windowMs: 30 });
  const model = new ModelScan((packet) => controller.fromWire(packet));
  controller.attach(model);
  const told: Buffer[] = [];
  controller.onPacket = (packet) => void told.push(packet);
  model.pull();
  controller.wireChanged(false);
  controller.fromLibrary(commandPacket(OPCODE.setScanEnable, Buffer.of(1, 0)));
  controller.fromLibrary(commandPacket(OPCODE.createConnection, Buffer.alloc(25)));
  await new Promise(setImmediate);
  expect(told).toEqual([CONNECT_CANCELLED]);
});
