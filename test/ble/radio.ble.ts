/**
 * The air of Bluetooth LE keeps the radio contract: noble and bleno as published, over BlueZ's controller emulator, and over
 * real adapters where FIREBREAK_BLE_ADAPTERS names two (a node that hears itself) or four of them (two nodes).
 */
import { afterAll, beforeAll } from 'vitest';
import { radioContract } from '../contracts/radio-contract.js';
import { startEmulator } from './emulator.js';
import type { Emulator } from './emulator.js';
import { bleStage } from './stages.js';
import type { AdapterPair } from './stages.js';

let emulator: Emulator | undefined;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator?.stop());

function emulated(): AdapterPair {
  if (emulator === undefined) throw new Error('the emulator did not start');
  return [`unix:${emulator.socket}`, `unix:${emulator.socket}`];
}

radioContract('Bluetooth on the emulator', () => bleStage('abandonware', emulated(), emulated()));
radioContract('Bluetooth on the emulator with the maintained forks', () =>
  bleStage('stoprocent', emulated(), emulated()),
);

const named = process.env['FIREBREAK_BLE_ADAPTERS'];
if (named !== undefined) {
  const [scan, advertise, gatewayScan, gatewayAdvertise, ...more] = named.split(',');
  if (scan === undefined || advertise === undefined || more.length > 0) {
    throw new Error('FIREBREAK_BLE_ADAPTERS names two adapters, or four, with commas between them');
  }
  const hasGateway = gatewayScan !== undefined && gatewayAdvertise !== undefined;
  const gateway: [AdapterPair?] = hasGateway ? [[gatewayScan, gatewayAdvertise]] : [];
  radioContract(`Bluetooth on ${named}`, () => bleStage('abandonware', [scan, advertise], ...gateway));
}
