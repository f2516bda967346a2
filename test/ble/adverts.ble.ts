/**
 * What a tag sends over Bluetooth, heard by a controller of its own and decoded from the layouts of Bluetooth Core 5.3 and
 * docs/protocol.md alone. The tag is the whole of it, across the end of an epoch, in a clock that runs twenty times as fast.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { liveClock } from '../../host/clock-live.js';
import { asTagNumber } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { silentLog } from '../../protocol/log.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { openTagRunner } from '../../firmware-sim/live/tag-runner.js';
import { openBleRadio } from '../../radio/ble/open-ble-radio.js';
import { seededRandom } from '../../radio/random.js';
import { MIDNIGHT_MS } from '../firmware-sim/samples.js';
import { testAuthority } from '../firmware-sim/test-authority.js';
import { startEmulator } from './emulator.js';
import type { Emulator } from './emulator.js';
import { openObserver } from './hci-observer.js';
import type { HeardAdvert } from './hci-observer.js';
import { openRecorder } from './hci-recorder.js';

const EPOCH_S = 900;
const TAG = 4_711;
const TX_POWER_DBM = -4;
/** Forty seconds before an epoch ends. */
const START_MS = MIDNIGHT_MS + 36_000_000 + EPOCH_S * 1_000 - 40_000;
const authority = testAuthority();
const folder = mkdtempSync(join(tmpdir(), 'ble-adverts-'));

interface Capture {
  readonly heard: readonly HeardAdvert[];
  /** What the tag's host wrote to the controller that advertises, and to the one that scans. */
  readonly toAdvertiser: Buffer;
  readonly toScanner: Buffer;
}

let emulator: Emulator | undefined;
let capture: Capture;
beforeAll(async () => {
  emulator = await startEmulator();
  capture = await runTag(emulator.socket);
});
afterAll(async () => {
  await emulator?.stop();
  rmSync(folder, { recursive: true });
});

async function runTag(air: string): Promise<Capture> {
  const [advertiser, scanner] = [join(folder, 'advertiser.sock'), join(folder, 'scanner.sock')];
  const [toAdvertiser, toScanner] = [await openRecorder(advertiser, air), await openRecorder(scanner, air)];
  const observer = await openObserver(air);
  const clock = liveClock({ startMs: START_MS, anchorWallMs: Date.now(), rate: 20 });
  const radio = await openBleRadio({
    scanAdapter: { kind: 'unix', path: scanner },
    advertiseAdapter: { kind: 'unix', path: advertiser },
    stack: 'abandonware',
    clock,
    log: silentLog,
  });
  const random = seededRandom('tag on Bluetooth');
  const runner = await openTagRunner({
    radio,
    clock,
    folder: join(folder, 'tag'),
    settings: DEFAULT_SETTINGS,
    issuerPublicKey: authority.issuer.publicKey,
    station: authority.station,
    tag: asTagNumber(TAG),
    txPowerDbm: TX_POWER_DBM,
    signerOf: fastSigner,
    random: (length) => random.bytes(length),
    log: silentLog,
  });
  const epochs = () => new Set(observer.heard.map(({ address }) => address)).size;
  for (let tries = 0; epochs() < 2 && tries < 1_000; tries++) await pause(20);
  await pause(2_000);
  await runner.close();
  await radio.close();
  observer.close();
  const written = { toAdvertiser: toAdvertiser.written(), toScanner: toScanner.written() };
  await Promise.all([toAdvertiser.close(), toScanner.close()]);
  return { heard: observer.heard, ...written };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** §4, from the words of docs/protocol.md: what this tag may send in an epoch, by its ephemeral ID and minute. */
function beaconOf(epoch: number, minute: number): { ephId: Buffer; advert: Buffer } {
  const { idKey, macKey } = authority.dayKeys(Math.floor((epoch * EPOCH_S) / 86_400));
  const block = Buffer.alloc(16);
  block.writeUIntBE(TAG, 0, 6);
  block.writeUInt32BE(epoch, 6);
  const cipher = createCipheriv('aes-256-ecb', idKey, null);
  const ephId = cipher.update(block);
  const authInput = Buffer.concat([Buffer.from('firebreak/auth/v1\0', 'ascii'), ephId]);
  const authKey = createHmac('sha256', macKey).update(authInput).digest().subarray(0, 16);
  const body = Buffer.concat([Buffer.of(0x10, TX_POWER_DBM & 0xff), ephId]);
  const minuteBytes = Buffer.alloc(4);
  minuteBytes.writeUInt32BE(minute);
  const mac = createHmac('sha256', authKey).update(body).update(minuteBytes).digest().subarray(0, 6);
  return { ephId, advert: Buffer.concat([Buffer.from('0201061b16b0ff', 'hex'), body, mac]) };
}

/** The values of LE Set Advertising Data (7.8.7): 01, 08 20, length 20, then the number of significant bytes and 31. */
function advertisingData(written: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (
    let at = written.indexOf('01082020', 0, 'hex');
    at >= 0;
    at = written.indexOf('01082020', at + 36, 'hex')
  ) {
    found.push(written.subarray(at + 5, at + 5 + written.readUInt8(at + 4)));
  }
  return found;
}

function runsOfFour(bytes: Uint8Array): string[] {
  const hex = Buffer.from(bytes).toString('hex');
  return Array.from({ length: Math.max(0, bytes.length - 3) }, (_, i) => hex.slice(2 * i, 2 * i + 8));
}

const minutesAround = Array.from({ length: 30 }, (_, i) => Math.floor(START_MS / 60_000) + i);
const allowed = new Map(
  minutesAround.map((minute) => {
    const { advert, ephId } = beaconOf(Math.floor((minute * 60) / EPOCH_S), minute);
    return [advert.toString('hex'), { ephId: ephId.toString('hex'), mac: advert.subarray(25) }];
  }),
);

describe('a tag on Bluetooth', () => {
  it('sends the 31 bytes of protocol.md and nothing else', () => {
    expect(capture.heard.length).toBeGreaterThan(20);
    for (const { data, eventType, addressType } of capture.heard) {
      expect(data).toHaveLength(31);
      expect([...allowed.keys()]).toContain(data.toString('hex'));
      expect({ eventType, addressType }).toEqual({ eventType: 3, addressType: 1 });
    }
    const handedOver = advertisingData(capture.toAdvertiser).map((data) => data.toString('hex'));
    expect(new Set(capture.heard.map(({ data }) => data.toString('hex')))).toEqual(new Set(handedOver));
  });

  it('changes its address together with its ID, to a static random one', () => {
    const pairs = new Set(
      capture.heard.map(({ address, data }) => `${address} ${data.subarray(9, 25).toString('hex')}`),
    );
    expect(pairs.size).toBe(2);
    expect(new Set([...pairs].map((pair) => pair.split(' ')[0])).size).toBe(2);
    expect(new Set([...pairs].map((pair) => pair.split(' ')[1])).size).toBe(2);
    for (const { address } of capture.heard)
      expect(Number.parseInt(address.slice(0, 2), 16)).toBeGreaterThanOrEqual(0xc0);
  });

  it('repeats no four bytes of the old address, ID or MAC in the next epoch', () => {
    const oldAddress = capture.heard[0]!.address;
    const change = capture.heard.findIndex(({ address }) => address !== oldAddress);
    const [before, after] = [capture.heard.slice(0, change), capture.heard.slice(change)];
    expect(after.length).toBeGreaterThan(10);
    const secret = before.flatMap(({ address, data }) => [
      ...runsOfFour(Buffer.from(address, 'hex')),
      ...runsOfFour(Buffer.from(address, 'hex').reverse()),
      ...runsOfFour(data.subarray(9)), // after version and power, which every tag of its kind shares
    ]);
    expect(new Set(secret).size).toBeGreaterThan(20);
    const sentAfter = after.map(({ address, data }) => `${address} ${data.toString('hex')}`).join('\n');
    for (const run of secret) expect(sentAfter).not.toContain(run);
    // The next epoch begins, for its controller, with the command that sets its address.
    const newAddress = Buffer.from(after[0]!.address, 'hex').reverse();
    const from = capture.toAdvertiser.indexOf(Buffer.concat([Buffer.from('01052006', 'hex'), newAddress]));
    expect(from).toBeGreaterThan(0);
    const commanded = capture.toAdvertiser.subarray(from).toString('hex');
    for (const run of secret) expect(commanded).not.toContain(run);
  });

  it('scans without sending anything', () => {
    const hex = capture.toScanner.toString('hex');
    const parameters = [...hex.matchAll(/010b2007(..)/g)].map(([, type]) => type);
    expect(parameters.length).toBeGreaterThan(0);
    expect(new Set(parameters)).toEqual(new Set(['00'])); // LE Set Scan Parameters: passive
  });
});
