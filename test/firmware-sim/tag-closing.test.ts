import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openTagRunner } from '../../firmware-sim/live/tag-runner.js';
import { virtualClock } from '../../host/clock-virtual.js';
import { encodeAdvert } from '../../protocol/tag/beacon.js';
import { asTagNumber } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import { REPLAY_SETTINGS } from '../../protocol/settings.js';
import type { Radio, Sighting } from '../../radio/contract.js';
import { seededRandom } from '../../radio/random.js';
import { MIDNIGHT_MS } from './samples.js';
import { testAuthority } from './test-authority.js';

const folder = mkdtempSync(join(tmpdir(), 'firebreak-closing-'));
afterAll(() => rmSync(folder, { recursive: true }));

const hangs = () => new Promise<void>(() => undefined);

/** A tag on the air whose radio stops as the test says. */
async function onAir(stop: Partial<Record<'scanner' | 'advertiser', () => Promise<void>>>) {
  const path = mkdtempSync(join(folder, 'tag '));
  const clock = virtualClock(MIDNIGHT_MS + 36_000_000);
  const authority = testAuthority();
  const random = seededRandom('closing');
  const stops: string[] = [];
  const stopped = (part: 'scanner' | 'advertiser') => async () => {
    stops.push(part);
    await stop[part]?.();
  };
  let listener: (sighting: Sighting) => void = () => undefined;
  const radio: Radio = {
    scanner: { start: async (onSighting) => void (listener = onSighting), stop: stopped('scanner') },
    advertiser: { set: async () => {}, stop: stopped('advertiser') },
    server: { start: async () => {}, stop: async () => {} },
    central: { connect: () => Promise.reject(new FirebreakError('unreachable', 'nobody is there')) },
    close: async () => {},
  };
  const { issuer, station } = authority;
  const own = { folder: path, settings: REPLAY_SETTINGS, issuerPublicKey: issuer.publicKey, station };
  const host = {
    clock,
    signerOf: fastSigner,
    random: (length: number) => random.bytes(length),
    log: silentLog,
  };
  const tag = await openTagRunner({ radio, ...own, ...host, tag: asTagNumber(1) });
  const hear = (): void => {
    const advert = encodeAdvert({ txPowerDbm: 0, ephId: random.bytes(16), mac: random.bytes(6) });
    listener({ address: 'c0ffee000009', rssiDbm: -60, advert, heardAtMs: clock.nowMs() });
  };
  await clock.advance(60_000);
  stops.length = 0;
  return { tag, hear, stops, openFiles: () => openFilesIn(path) };
}

/** How many files of the folder this process holds open. */
function openFilesIn(path: string): number {
  const isInside = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`${path}/`);
    } catch {
      return false; // gone meanwhile
    }
  };
  return readdirSync('/proc/self/fd').filter(isInside).length;
}

describe('a live tag that closes', () => {
  it('does the rest though its scanner cannot be stopped, and says so', async () => {
    const failure = new FirebreakError('unreachable', 'no scanner');
    const { tag, stops, openFiles } = await onAir({ scanner: () => Promise.reject(failure) });
    expect(openFiles()).toBeGreaterThan(0);
    await expect(tag.close()).rejects.toBe(failure);
    expect(stops).toEqual(['scanner', 'advertiser']);
    expect(openFiles()).toBe(0);
  });

  it.each(['scanner', 'advertiser'] as const)(
    'does not wait for ever for the %s, and writes nothing after',
    async (part) => {
      const { tag, hear, openFiles } = await onAir({ [part]: hangs });
      hear();
      vi.useFakeTimers({ toFake: ['setTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      const closed = expect(tag.close()).rejects.toMatchObject({ code: 'timeout' });
      await vi.advanceTimersByTimeAsync(10_000);
      await closed;
      hear();
      expect(openFiles()).toBe(0);
    },
  );
});
