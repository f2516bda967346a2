/** Peers that send what is no frame, no request, or too many of them lose their own connection and harm nobody else's. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RadioStage } from '../contracts/radio-contract.js';
import { startEmulator } from './emulator.js';
import type { Emulator } from './emulator.js';
import { openAttacker } from './hci-attacker.js';
import type { Attacker } from './hci-attacker.js';
import { bleStage } from './stages.js';

const ADDRESS = 'c0ffee000001';
/** Where bleno puts the values of these attributes, after its own two services. */
const HELLO = 0x0c;
const UPLOAD = 0x0e;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe.each(['abandonware', 'stoprocent'] as const)('a gateway on %s', (stack) => {
  let emulator: Emulator;
  let stage: RadioStage;
  let attacker: Attacker;
  let handle: number;
  let served = 0;
  beforeAll(async () => {
    emulator = await startEmulator();
    const pair = [`unix:${emulator.socket}`, `unix:${emulator.socket}`] as const;
    stage = await bleStage(stack, pair, pair);
    await stage.gateway.server.start(() => ({
      onRead: async () => Uint8Array.of(42),
      onWrite: async () => void (served += 1),
      onClosed: () => undefined,
    }));
    await stage.gateway.advertiser.set({
      address: ADDRESS,
      advert: Uint8Array.of(2, 1, 6),
      txPowerDbm: 0,
      intervalMs: 50,
      phaseMs: 0,
      jitter: 0.1,
      connectable: true,
    });
  });
  afterAll(async () => {
    await stage?.close();
    await emulator?.stop();
  });
  beforeEach(async () => {
    attacker = await openAttacker(emulator.socket, 'd0d0d0d0d0d0');
    handle = await retried(() => attacker.connect(ADDRESS));
  });
  afterEach(async () => {
    attacker.close();
    const link = await retried(() => stage.tag.central.connect(ADDRESS));
    expect(await link.read('hello')).toEqual(Uint8Array.of(42)); // an honest tag is served as before
    await link.close();
  });

  /** The advertiser may be between two adverts. */
  async function retried<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await work();
      } catch (error) {
        if (tries > 8) throw error;
        await stage.pass(300);
      }
    }
  }

  it.each([
    ['a frame longer than it says', ['0300 0400 0a', '0300 0400 0a 00 01 02 03 04 05']],
    ['a frame of 65,535 bytes', ['ffff 0400']],
    ['an empty frame', ['0000 0400']],
    ['no header', ['00']],
    ['a request cut short', ['0100 0400 0a']],
    ['a write request of one byte', ['0200 0400 12 01']],
    ['a find request cut short', ['0200 0400 04 01']],
  ])('disconnects whoever sends %s', async (_, frames) => {
    frames.forEach((frame, i) => attacker.acl(handle, i === 0 ? 2 : 1, hex(frame)));
    await attacker.ended(handle);
  });

  it('disconnects whoever asks more at once than it may', async () => {
    for (let i = 0; i < 60; i++) attacker.att(handle, Uint8Array.of(0x0a, HELLO, 0)); // Read Request
    await attacker.ended(handle);
  });

  it('disconnects whoever connects and says nothing', async () => {
    await attacker.ended(handle);
  });

  it('hands nothing on of a write that is longer than an attribute, or of requests nobody knows', async () => {
    const before = served;
    const prepare = (offset: number): Buffer =>
      Buffer.concat([Buffer.of(0x16, UPLOAD, 0x00, offset & 0xff, offset >> 8), Buffer.alloc(18, 7)]);
    for (let offset = 0; offset < 600; offset += 18) attacker.att(handle, prepare(offset));
    attacker.att(handle, hex('18 01')); // Execute Write
    for (let opcode = 0x20; opcode < 0x60; opcode++) attacker.att(handle, Uint8Array.of(opcode, 1, 2, 3));
    await stage.pass(300);
    expect(served).toBe(before);
    attacker.att(handle, Uint8Array.of(0x12, UPLOAD, 0, 1)); // Write Request, as it should be
    for (let tries = 0; served === before && tries < 200; tries++) await stage.pass(10);
    expect(served).toBe(before + 1);
  });
});
