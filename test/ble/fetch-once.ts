/** Before the first test on emulated controllers: what the emulator needs is fetched, for all files of tests at once. */
import { btvirtProgram, btvirtShim } from './btvirt-files.js';

export async function setup(): Promise<void> {
  await btvirtProgram();
  await btvirtShim().catch(() => undefined); // where it cannot be built, startEmulator does without, or says why it cannot
}
