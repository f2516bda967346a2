import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { virtualClock } from '../../host/clock-virtual.js';
import { asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { encodeGatewayAdvert } from '../../protocol/session/gateway-advert.js';
import { silentLog } from '../../protocol/log.js';
import { openTagRunner } from '../../firmware-sim/live/tag-runner.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import type { Link, Radio } from '../../radio/contract.js';
import { seededRandom } from '../../radio/random.js';
import { MIDNIGHT_MS, SETTINGS } from './samples.js';
import { testAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** A tag's folder and time, and a gateway whose refresh takes so long to read. */
function stage(readMs: () => number) {
  const folder = mkdtempSync(join(tmpdir(), 'firebreak-tag-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const clock = virtualClock(MIDNIGHT_MS + 10 * HOUR + 3 * MINUTE);
  const authority = testAuthority();
  const gateway = testGateway(authority, () => clock.nowMs());
  const random = seededRandom('runner');

  function connect(): Link {
    const link = gateway.connect();
    return {
      ...link,
      read: async (characteristic) => {
        if (characteristic === 'refresh') await Promise.race([clock.sleep(readMs()), link.closed]);
        return link.read(characteristic);
      },
    };
  }

  async function started(hostErrorMs: number) {
    const air = openReplayAir({ clock, contacts: [] });
    const joined = air.join('tag');
    let hear: Parameters<Radio['scanner']['start']>[0] = () => {};
    const scanner = {
      start: async (onSighting: typeof hear) => void (hear = onSighting),
      stop: async () => {},
    };
    const central = { ...joined.central, connect: async () => connect() };
    const tag = await openTagRunner({
      radio: {
        scanner,
        central,
        advertiser: joined.advertiser,
        server: joined.server,
        close: async () => {},
      },
      clock: {
        nowMs: () => asUnixMs(clock.nowMs() + hostErrorMs),
        sleep: (durationMs, signal) => clock.sleep(durationMs, signal),
      },
      counter: clock.counter,
      folder,
      settings: SETTINGS,
      issuerPublicKey: authority.issuer.publicKey,
      station: authority.station,
      tag: asTagNumber(1),
      signerOf: fastSigner,
      random: (length) => random.bytes(length),
      log: silentLog,
    });
    const meetGateway = (): void =>
      hear({
        address: 'c0ffee000001',
        rssiDbm: -50,
        advert: encodeGatewayAdvert(),
        heardAtMs: clock.nowMs(),
      });
    const end = async (): Promise<void> => {
      await clock.drive(tag.close());
      await air.close();
    };
    return { tag, meetGateway, end };
  }

  return { clock, started };
}

it('the session whose hello sets a tag’s clock goes on to its end, however often the tag looks at the time', async () => {
  const { clock, started } = stage(() => 80_000);
  const before = await started(0);
  await clock.advance(2 * MINUTE);
  await before.end();
  const after = await started(3 * HOUR);
  await clock.advance(MINUTE / 2);
  expect(after.tag.status().timeMs).toBe(clock.nowMs() + 3 * HOUR);
  after.meetGateway();
  await clock.advance(5 * MINUTE);
  expect(after.tag.status()).toMatchObject({
    timeMs: clock.nowMs(),
    sessions: 1,
    failedSessions: 0,
    lastEndedBy: undefined,
  });
  await after.end();
});

it('a session that outlives the epoch its hello was read in is cut', async () => {
  const { clock, started } = stage(() => HOUR);
  const { tag, meetGateway, end } = await started(0);
  await clock.advance(7 * MINUTE);
  meetGateway();
  await clock.advance(4 * MINUTE);
  expect(tag.status().sessions).toBe(0);
  await clock.advance(2 * MINUTE);
  expect(tag.status()).toMatchObject({ sessions: 1, failedSessions: 1 });
  await end();
});
