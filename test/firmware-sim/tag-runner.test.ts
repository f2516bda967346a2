import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { virtualClock } from '../../host/clock-virtual.js';
import type { VirtualClock } from '../../host/clock-virtual.js';
import { asTagNumber, asUnixMs } from '../../protocol/brands.js';
import type { Clock } from '../../protocol/clock.js';
import { openCredentialRequest } from '../../protocol/tag/credential-request.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { encodeGatewayAdvert } from '../../protocol/session/gateway-advert.js';
import { silentLog } from '../../protocol/log.js';
import type { Log, LogFields } from '../../protocol/log.js';
import { REPLAY_SETTINGS } from '../../protocol/settings.js';
import type { EnrolmentStation } from '../../firmware-sim/live/enrolment.js';
import { openTagRunner } from '../../firmware-sim/live/tag-runner.js';
import type { TagRunner } from '../../firmware-sim/live/tag-runner.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import type { ReplayAir } from '../../radio/air/air-replay-hosted.js';
import type { Advertiser, Characteristic, Link, ServerPeer } from '../../radio/contract.js';
import { seededRandom } from '../../radio/random.js';
import { until } from '../cli/firebreak-process.js';
import { MIDNIGHT_MS } from './samples.js';
import { testAuthority } from './test-authority.js';
import type { TestAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';
import type { TestGateway } from './test-gateway.js';

const folder = mkdtempSync(join(tmpdir(), 'firebreak-tag-'));
afterAll(() => rmSync(folder, { recursive: true }));

const START_MS = MIDNIGHT_MS + 36_000_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

interface Stage {
  readonly clock: VirtualClock;
  readonly air: ReplayAir;
  readonly authority: TestAuthority;
  readonly gateway: TestGateway;
  /** Every address a tag advertised under. */
  readonly addresses: Set<string>;
  /** By how much the clocks of the tags' machines are set wrong. */
  readonly host: { errorMs: number };
  run(tag: number, path?: string, station?: EnrolmentStation, log?: Log): Promise<TagRunner>;
  end(...runners: TagRunner[]): Promise<void>;
}

/** Tags 1 and 2 are together for ten minutes from five minutes after the start; a gateway is in reach all the time. */
async function stage(contactMinutes = 10, authority = testAuthority(), session = {}): Promise<Stage> {
  const clock = virtualClock(START_MS);
  const startMs = START_MS + 5 * MINUTE;
  const contacts = [{ a: 'tag 1', b: 'tag 2', startMs, endMs: startMs + contactMinutes * MINUTE }];
  const air = openReplayAir({ clock, contacts });
  const gateway = testGateway(authority, () => clock.nowMs());
  const place = air.join('gateway');
  await place.server.start((peer) => serve(gateway.connect(), peer));
  const advert = {
    advert: encodeGatewayAdvert(),
    txPowerDbm: 0,
    intervalMs: 20_000,
    phaseMs: 0,
    jitter: 0.1,
  };
  await place.advertiser.set({ ...advert, address: 'c0ffee000001', connectable: true });
  const addresses = new Set<string>();
  const host = { errorMs: 0 };
  const hostClock: Clock = {
    nowMs: () => asUnixMs(clock.nowMs() + host.errorMs),
    sleep: (durationMs, signal) => clock.sleep(durationMs, signal),
  };
  const run = async (
    tag: number,
    path = mkdtempSync(join(folder, 'tag ')),
    station = authority.station,
    log: Log = silentLog,
  ) => {
    const random = seededRandom(`runner ${tag}`);
    const radio = air.join(`tag ${tag}`);
    const { scanner, central, server } = radio;
    const advertiser: Advertiser = {
      set: (settings) => {
        addresses.add(settings.address);
        return radio.advertiser.set(settings);
      },
      stop: () => radio.advertiser.stop(),
    };
    const runner = await openTagRunner({
      radio: { scanner, advertiser, central, server, close: () => radio.close() },
      clock: hostClock,
      counter: { nowMs: () => clock.nowMs(), rate: 1 },
      folder: path,
      settings: REPLAY_SETTINGS,
      issuerPublicKey: authority.issuer.publicKey,
      station,
      tag: asTagNumber(tag),
      signerOf: fastSigner,
      random: (length) => random.bytes(length),
      log,
      session,
    });
    const close = () => runner.close().then(() => radio.close());
    return { status: () => runner.status(), close };
  };
  const end = async (...runners: TagRunner[]): Promise<void> => {
    for (const runner of runners) await clock.drive(runner.close());
    await air.close();
  };
  return { clock, air, authority, gateway, addresses, host, run, end };
}

async function serve(link: Link, peer: ServerPeer) {
  await link.subscribe('receipt', (value) => void peer.notify('receipt', value));
  return {
    onRead: (characteristic: Characteristic) => link.read(characteristic),
    onWrite: (characteristic: Characteristic, value: Uint8Array) => link.write(characteristic, value),
    onClosed: () => void link.close(),
  };
}

const bucketsOf = ({ authority, gateway }: Stage) =>
  gateway.reports.flatMap((report) => {
    const { tag, plaintext } = authority.open(report);
    return plaintext.records.map(({ bucketSeconds }) => [tag, ...bucketSeconds].join(' '));
  });

describe('a live tag', () => {
  it('goes on changing its ID after a time in which its disk took nothing', async () => {
    const at = await stage();
    const path = mkdtempSync(join(folder, 'full '));
    const tag = await at.run(1, path);
    await at.clock.advance(MINUTE);
    mkdirSync(join(path, 'tag.json.new'));
    await at.clock.advance(MIDNIGHT_MS + 24 * HOUR - at.clock.nowMs() + MINUTE);
    rmSync(join(path, 'tag.json.new'), { recursive: true });
    at.addresses.clear();
    await at.clock.advance(HOUR);
    expect(at.addresses.size).toBeGreaterThanOrEqual(4);
    await at.end(tag);
  });

  it('says in its log what its disk does not do, and not where its folder is, which has its number in the name', async () => {
    const at = await stage();
    const path = mkdtempSync(join(folder, 'tag 17 '));
    const lines: string[] = [];
    const note = (message: string, fields?: object): void =>
      void lines.push(JSON.stringify([message, fields]));
    const one = await at.run(1, path, undefined, { info: note, warn: note, error: note });
    const two = await at.run(2);
    await at.clock.advance(4 * MINUTE);
    rmSync(path, { recursive: true });
    await at.clock.advance(30 * MINUTE);
    await at.end(one, two);
    const told = lines.filter((line) => /could not/.test(line));
    expect(told.some((line) => /a beacon could not be noted.*it is not there/.test(line))).toBe(true);
    expect(told.some((line) => /could not keep its records.*it is not there/.test(line))).toBe(true);
    expect(told.join()).not.toMatch(/tag 17/);
    expect(told.length).toBeLessThan(20); // of some 70 beacons
  });

  it('enrols, logs, and delivers as soon as its records are closed and a gateway is heard', async () => {
    const at = await stage();
    const [one, two] = [await at.run(1), await at.run(2)];
    await at.clock.advance(16 * MINUTE);
    expect(one.status()).toMatchObject({ isOnAir: true, heard: 60, open: 1, delivered: 0 });
    await at.clock.advance(10 * MINUTE);
    expect(one.status()).toMatchObject({ open: 0, waiting: 0, delivered: 1, lastEndedBy: undefined });
    expect(bucketsOf(at).sort()).toEqual(['1 600 0 0 0', '2 600 0 0 0']);
    await at.end(one, two);
  });

  it('goes on after being killed in mid-epoch as if nothing had happened', async () => {
    const at = await stage(8);
    const path = join(folder, 'killed');
    const [one, two] = [await at.run(1, path), await at.run(2)];
    await at.clock.advance(9 * MINUTE + 1);
    cpSync(path, `${path} image`, { recursive: true }); // what is on disk at that moment is all that a kill leaves
    await at.clock.drive(one.close());
    const again = await at.run(1, `${path} image`);
    expect(again.status()).toMatchObject({ isOnAir: true, open: 1, heard: expect.any(Number) as number });
    await at.clock.advance(20 * MINUTE);
    expect(bucketsOf(at).sort()).toEqual(['1 480 0 0 0', '2 480 0 0 0']);
    expect(at.authority.requests.enrolled).toBe(2);
    await at.end(again, two);
  });

  it('killed between upload and receipt repeats the report, and loses nothing', async () => {
    const at = await stage(10, testAuthority(), { receiptTimeoutMs: 200 });
    const path = join(folder, 'mute');
    at.gateway.faults.mute = true;
    const [one, two] = [await at.run(1, path), await at.run(2)];
    const uploadsOfOne = () => at.gateway.uploads.filter((report) => at.authority.open(report).tag === 1);
    const passing = at.clock.advance(19 * MINUTE);
    await until('an upload', () => uploadsOfOne().length > 0, { everyMs: 5 });
    cpSync(path, `${path} image`, { recursive: true });
    await passing;
    await at.clock.drive(one.close());
    at.gateway.faults.mute = false;
    const again = await at.run(1, `${path} image`);
    await at.clock.hold(pause(300));
    await at.clock.advance(HOUR);
    await at.clock.hold(pause(50));
    expect([...new Set(bucketsOf(at))].sort()).toEqual(['1 600 0 0 0', '2 600 0 0 0']);
    const plaintexts = uploadsOfOne().map((report) => at.authority.open(report).plaintext);
    expect(plaintexts.length).toBeGreaterThan(1);
    for (const plaintext of plaintexts) expect(plaintext).toEqual(plaintexts[0]);
    await at.end(again, two);
  });

  it('backs off from a gateway that is busy, says why in words, and comes back', async () => {
    const at = await stage();
    at.gateway.faults.refuse = 'busy';
    const reasons: (LogFields | undefined)[] = [];
    const log: Log = { ...silentLog, warn: (_message, fields) => void reasons.push(fields) };
    const [one, two] = [await at.run(1, undefined, undefined, log), await at.run(2)];
    await at.clock.advance(50 * MINUTE);
    const { failedSessions, lastRefusal, waiting } = one.status();
    expect({ lastRefusal, waiting }).toEqual({ lastRefusal: 'busy', waiting: 1 });
    expect(reasons).toContainEqual({ reason: 'busy', why: 'the gateway refused the report' });
    expect(failedSessions).toBeGreaterThan(2);
    expect(failedSessions).toBeLessThan(15);
    at.gateway.faults.refuse = undefined;
    await at.clock.advance(20 * MINUTE);
    expect(one.status()).toMatchObject({ waiting: 0, delivered: 1 });
    await at.end(one, two);
  });

  it('delivers to the gateway it knows though many others pretend to be one', async () => {
    const at = await stage();
    const one = await at.run(1);
    const two = await at.run(2);
    await at.clock.advance(4 * MINUTE);
    for (let pretender = 0; pretender < 5; pretender += 1) {
      await at.air.join(`pretender ${pretender}`).advertiser.set({
        address: `c0bad000000${pretender}`,
        advert: encodeGatewayAdvert(),
        txPowerDbm: 0,
        intervalMs: 200,
        phaseMs: pretender * 40,
        jitter: 0.1,
        connectable: true,
      });
    }
    await at.clock.advance(24 * MINUTE);
    for (const tag of [one, two]) expect(tag.status()).toMatchObject({ waiting: 0, delivered: 1 });
    expect(one.status().failedSessions).toBeGreaterThan(2); // it did try the others
    await at.end(one, two);
  });

  it.each([
    ['back', -2 * HOUR],
    ['far ahead', 30 * 24 * HOUR],
  ])(
    'whose machine’s clock is set %s learns the time at the next gateway and goes on',
    async (_name, errorMs) => {
      const at = await stage();
      const one = await at.run(1);
      await at.clock.advance(2 * MINUTE);
      const before = one.status().sessions;
      at.host.errorMs = errorMs;
      await at.clock.advance(4 * MINUTE);
      const { isOnAir, timeMs, sessions, coveredThroughDay } = one.status();
      expect({ isOnAir, timeMs, sessions }).toEqual({
        isOnAir: true,
        timeMs: at.clock.nowMs(),
        sessions: before + 1,
      });
      expect(coveredThroughDay).toBe(MIDNIGHT_MS / 86_400_000 + 6);
      await at.end(one);
    },
  );

  it('near the end of a deployment asks for fewer days, and is on the air through the last', async () => {
    const at = await stage();
    const daysLeft = 3;
    const sunset = MIDNIGHT_MS / 86_400_000 + daysLeft;
    const station: EnrolmentStation = {
      enrol: async (request, tag) => {
        const { firstDay, days } = openCredentialRequest(request);
        if (firstDay + days > sunset) throw new FirebreakError('day', 'this deployment ends');
        return at.authority.station.enrol(request, tag);
      },
      renew: () => Promise.reject(new FirebreakError('day', 'this deployment ends')),
    };
    const one = await at.run(1, undefined, station);
    await at.clock.advance(HOUR);
    expect(one.status()).toMatchObject({ isOnAir: true, coveredThroughDay: sunset - 1 });
    await at.clock.advance((daysLeft - 1) * 24 * HOUR);
    expect(one.status().isOnAir).toBe(true);
    await at.clock.advance(24 * HOUR);
    expect(one.status().isOnAir).toBe(false);
    await at.end(one);
  });

  it('is given a week again after days were refused for a while', async () => {
    const at = await stage();
    let refusals = 3;
    const station: EnrolmentStation = {
      enrol: async (request, tag) => {
        if ((refusals -= 1) >= 0) throw new FirebreakError('day', 'credentials are issued for other days');
        return at.authority.station.enrol(request, tag);
      },
      renew: (report) => at.authority.station.renew(report),
    };
    const one = await at.run(1, undefined, station);
    await at.clock.advance(HOUR);
    expect(one.status().coveredThroughDay).toBe(MIDNIGHT_MS / 86_400_000 + 6);
    await at.end(one);
  });

  it('says how long its credentials hold while they cannot be renewed, that it needs the desk when they have ended, and asks it by itself', async () => {
    const at = await stage();
    const today = MIDNIGHT_MS / 86_400_000;
    const warnings: string[] = [];
    let isAway = false;
    const station: EnrolmentStation = {
      enrol: async (request, tag) => {
        if (isAway) throw new FirebreakError('unreachable', 'no desk');
        const { firstDay, days } = openCredentialRequest(request);
        if (firstDay === today && days > 1) throw new FirebreakError('day', 'one day for a start');
        expect(tag).toBe(1);
        return at.authority.station.enrol(request, tag);
      },
      renew: () => Promise.reject(new FirebreakError('unreachable', 'no authority')),
    };
    const log: Log = { ...silentLog, warn: (message) => void warnings.push(message) };
    const one = await at.run(1, undefined, station, log);
    await at.clock.advance(HOUR);
    expect(one.status()).toMatchObject({ isOnAir: true, coveredThroughDay: today, lapsedDay: undefined });
    const lastDay = new Date(MIDNIGHT_MS).toISOString().slice(0, 10);
    const refused = 'no credentials yet; it will be tried again';
    const unrenewed = `its credentials could not be renewed; they hold until the end of ${lastDay}; it will be tried again`;
    expect([...new Set(warnings)]).toEqual([refused, unrenewed]);
    expect(warnings.lastIndexOf(refused)).toBeLessThan(warnings.indexOf(unrenewed));
    isAway = true;
    await at.clock.advance(15 * HOUR);
    expect(one.status()).toMatchObject({ isOnAir: false, coveredThroughDay: undefined, lapsedDay: today });
    expect(warnings.at(-1)).toContain(`credentials ended with ${lastDay}: it needs the desk once`);
    isAway = false;
    await at.clock.advance(HOUR);
    expect(one.status()).toMatchObject({ isOnAir: true, lapsedDay: undefined });
    await at.end(one);
  });

  it('enrols later when the authority is not there at first, and renews before its credentials end', async () => {
    const at = await stage();
    let away = 3;
    const station: EnrolmentStation = {
      enrol: async (request, tag) => {
        if ((away -= 1) >= 0) throw new FirebreakError('unreachable', 'no authority');
        return at.authority.station.enrol(request, tag);
      },
      renew: (report) => at.authority.station.renew(report),
    };
    const one = await at.run(1, undefined, station);
    await at.clock.advance(1);
    expect(one.status()).toMatchObject({ isOnAir: false, coveredThroughDay: undefined });
    await at.clock.advance(HOUR);
    const today = MIDNIGHT_MS / 86_400_000;
    expect(one.status()).toMatchObject({ isOnAir: true, coveredThroughDay: today + 6 });
    await at.clock.advance(20 * 24 * HOUR);
    expect(one.status().isOnAir).toBe(true);
    expect(at.authority.requests.renewed).toBeGreaterThan(2);
    await at.end(one);
  });
});

describe('a tag’s folder', () => {
  it('is readable by its owner only, and refused otherwise or when damaged or another authority’s', async () => {
    const at = await stage();
    const path = join(folder, 'guarded');
    await at.end(await at.run(1, path));
    const file = join(path, 'tag.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const open = () => stage().then((next) => next.run(1, path));
    chmodSync(file, 0o644);
    await expect(open()).rejects.toMatchObject({ code: 'permission' });
    chmodSync(file, 0o600);
    const foreign = await stage(10, testAuthority('another'));
    await expect(foreign.run(1, path)).rejects.toMatchObject({ code: 'foreign' });
    writeFileSync(file, '{"version":1}', { mode: 0o600 });
    await expect(open()).rejects.toMatchObject({ code: 'damaged' });
  });
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
