/** The air of Bluetooth LE keeps the radio contract: noble and bleno as published, over BlueZ's controller emulator. */
import { afterAll, beforeAll } from 'vitest';
import { radioContract } from '../contracts/radio-contract.js';
import { startEmulator } from './emulator.js';
import type { Emulator } from './emulator.js';
import { bleStage } from './stages.js';

let emulator: Emulator;
beforeAll(async () => {
  emulator = await startEmulator();
});
afterAll(() => emulator?.stop());

const pair = () => [`unix:${emulator.socket}`, `unix:${emulator.socket}`] as const;

radioContract('Bluetooth on the emulator', () => bleStage('abandonware', pair(), pair()));
radioContract('Bluetooth on the emulator with the maintained forks', () =>
  bleStage('stoprocent', pair(), pair()),
);
