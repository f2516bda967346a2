import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { equalBytes } from '../../protocol/bytes.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { decodeReport, reportHash } from '../../protocol/tag/report.js';
import { signNotice } from '../../protocol/tag/notice.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { noticeToken } from '../../protocol/tag/notice.js';
import { DEFAULT_SESSION, runGatewaySession } from '../../firmware-sim/live/gateway-session.js';
import type { Link } from '../../radio/contract.js';
import { seededRandom } from '../../radio/random.js';
import { MIDNIGHT_MS } from './samples.js';
import { testAuthority } from './test-authority.js';
import type { TestAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';
import { NOON_MS, testTag } from './test-tag.js';

const EPOCH_MS = 900_000;
const DAY_MS = 86_400_000;
const TODAY = MIDNIGHT_MS / 86_400_000;
const SOON = { ...DEFAULT_SESSION, receiptTimeoutMs: 50 };

async function scene(given: { readonly days?: number } = {}) {
  const authority = testAuthority();
  const tag = await testTag(authority, { tag: 17, ...given });
  const gateway = testGateway(authority, () => tag.nowMs);
  const log = (peer: number) => {
    tag.hear(peer);
    tag.nowMs = (Math.floor(tag.nowMs / EPOCH_MS) + 1) * EPOCH_MS + 120_000;
    tag.device.tick();
  };
  const visit = () => runGatewaySession(gateway.connect(), tag.device, SOON);
  return { authority, tag, gateway, log, visit };
}

type Scene = Awaited<ReturnType<typeof scene>>;

/** A notice with code 2 that means tag 17. */
function noticeFor(authority: TestAuthority): Uint8Array {
  const { idKey, macKey } = authority.dayKeys(TODAY);
  const key = authKeyOf(macKey, makeEphemeralId(idKey, asTagNumber(17), asEpoch(TODAY * 96)));
  const tokens = [noticeToken(key, 1, 2)];
  return signNotice(authority.issuer, { day: TODAY, number: 1, code: 2, tokens }, (n) => new Uint8Array(n));
}

describe('a session', () => {
  it('waits for the receipt from the end of the upload on, however long that took', async () => {
    const { tag, gateway, log } = await scene();
    log(1);
    const link = gateway.connect();
    const slow: Link = {
      ...link,
      write: async (characteristic, value) => {
        await sleep(30);
        await link.write(characteristic, value);
      },
      subscribe: (characteristic, onNotify) =>
        link.subscribe(characteristic, (value) => void sleep(20).then(() => onNotify(value))),
    };
    expect(await runGatewaySession(slow, tag.device, { ...SOON, withNotices: false })).toEqual({
      accepted: 1,
      endedBy: undefined,
    });
  });

  it('delivers what waits, under the credential of the present epoch, and frees it', async () => {
    const { authority, tag, gateway, log, visit } = await scene();
    log(1);
    expect(tag.device.wantsSession).toBe(true);
    expect(await visit()).toEqual({ accepted: 1, endedBy: undefined });
    const [report] = gateway.reports;
    if (report === undefined) throw new RangeError('nothing was delivered');
    expect(decodeReport(report).credential.epoch).toBe(Math.floor(tag.nowMs / EPOCH_MS));
    const { tag: number, plaintext } = authority.open(report);
    expect(number).toBe(17);
    expect(plaintext).toMatchObject({ seq: 0, records: [{ samples: 2, bucketSeconds: [2, 0, 0, 0] }] });
    expect(tag.device.status()).toMatchObject({ waiting: 0, delivered: 1, reports: 1 });
    expect(tag.device.wantsSession).toBe(false);
  });

  it('delivers a report a day, each naming the hash of the one before', async () => {
    const { authority, tag, gateway, log, visit } = await scene({ days: 3 });
    log(1);
    tag.nowMs = NOON_MS + 86_400_000;
    log(2);
    expect(await visit()).toEqual({ accepted: 2, endedBy: undefined });
    const [first, second] = gateway.reports;
    if (first === undefined || second === undefined) throw new RangeError('a report is missing');
    expect([decodeReport(first).day, decodeReport(second).day]).toEqual([TODAY, TODAY + 1]);
    expect(authority.open(second).plaintext).toMatchObject({ seq: 1, prev: reportHash(first) });
  });

  it('seals a late report to its own day, with the key from the pack when the hello has none', async () => {
    const { authority, tag, gateway, log, visit } = await scene({ days: 7 });
    log(1);
    tag.nowMs = NOON_MS + 4 * 86_400_000;
    expect(await visit()).toMatchObject({ accepted: 1 });
    const [report] = gateway.reports;
    expect(report && decodeReport(report).day).toBe(TODAY);
    expect(report && authority.open(report).plaintext.records).toHaveLength(1);
  });
});

describe('a record of a day whose key nobody brings any more', () => {
  it('is no reason for a visit, and expires', async () => {
    const { authority, tag, log, visit } = await scene({ days: 1 });
    tag.nowMs = NOON_MS + DAY_MS;
    log(1); // without credentials, and without a gateway on that day or the next
    tag.nowMs = NOON_MS + 4 * DAY_MS;
    tag.device.tick();
    await tag.device.enrol(authority.station, { firstDay: TODAY + 4, days: 7 }, asTagNumber(17));
    expect(await visit()).toEqual({ accepted: 0, endedBy: undefined });
    expect(tag.device.wantsSession).toBe(false);
    log(2);
    expect(tag.device.wantsSession).toBe(true);
    expect(await visit()).toEqual({ accepted: 1, endedBy: undefined });
    expect(tag.device.wantsSession).toBe(false);
    expect(tag.device.status()).toMatchObject({ waiting: 1, dropped: 0 });
    tag.nowMs = NOON_MS + 23 * DAY_MS;
    tag.device.tick();
    expect(tag.device.status()).toMatchObject({ waiting: 0, dropped: 1 });
  });

  it('is one as long as a gateway may still bring the key', async () => {
    const { authority, tag, log, visit } = await scene({ days: 1 });
    tag.nowMs = NOON_MS + DAY_MS;
    log(1);
    tag.nowMs = NOON_MS + 2 * DAY_MS;
    tag.device.tick();
    await tag.device.enrol(authority.station, { firstDay: TODAY + 2, days: 7 }, asTagNumber(17));
    expect(tag.device.wantsSession).toBe(true);
    expect(await visit()).toEqual({ accepted: 1, endedBy: undefined });
  });
});

describe('a retry', () => {
  it('is still sealed to the key of its day when no later hello carries that key', async () => {
    const { tag, gateway, log, visit } = await scene({ days: 4 });
    log(1);
    tag.state.shelf.sealingKeys.delete(TODAY);
    gateway.faults.mute = true;
    expect(await visit()).toMatchObject({ accepted: 0, endedBy: 'timeout' });
    gateway.faults.mute = false;
    tag.nowMs = NOON_MS + 3 * 86_400_000;
    expect(await visit()).toEqual({ accepted: 1, endedBy: undefined });
  });

  it('ends when its day leaves the retention window: what was logged since is delivered under the next seq', async () => {
    const { authority, tag, gateway, log, visit } = await scene();
    log(1);
    gateway.faults.mute = true;
    expect(await visit()).toMatchObject({ accepted: 0, endedBy: 'timeout' });
    gateway.faults.mute = false;
    tag.nowMs = NOON_MS + 22 * 86_400_000;
    tag.device.tick();
    await tag.device.enrol(authority.station, { firstDay: TODAY + 22, days: 1 }, asTagNumber(18));
    log(2);
    expect(await visit()).toEqual({ accepted: 1, endedBy: undefined });
    const [report] = gateway.reports;
    expect(report && authority.open(report).plaintext).toMatchObject({ seq: 1, records: [{ samples: 2 }] });
    expect(tag.device.status()).toMatchObject({ dropped: 1, hasOutstanding: false, waiting: 0 });
  });

  it('repeats the plaintext byte for byte under the same seq, in a later epoch, with new records waiting', async () => {
    const { authority, tag, gateway, log, visit } = await scene();
    log(1);
    gateway.faults.mute = true;
    expect(await visit()).toMatchObject({ accepted: 0, endedBy: 'timeout' });
    const plaintext = tag.state.chain.outstanding?.plaintext;
    log(2);
    gateway.faults.mute = false;
    expect(await visit()).toEqual({ accepted: 2, endedBy: undefined });
    const [lost, retry, next] = gateway.uploads;
    if (lost === undefined || retry === undefined || next === undefined || plaintext === undefined) {
      throw new RangeError('an upload is missing');
    }
    expect(equalBytes(lost, retry)).toBe(false);
    expect(authority.open(retry).plaintext).toEqual(authority.open(lost).plaintext);
    expect(decodeReport(lost).credential.epoch).toBeLessThan(decodeReport(retry).credential.epoch);
    expect(authority.open(next).plaintext).toMatchObject({ seq: 1, prev: reportHash(retry) });
  });

  it('has its plaintext on disk before the first byte is sent', async () => {
    const { tag, gateway, log, visit } = await scene();
    log(1);
    let savedAtFirstWrite: string | undefined;
    gateway.faults.onWrite = () => (savedAtFirstWrite ??= tag.saved.at(-1));
    await visit();
    expect(savedAtFirstWrite).toContain('"outstanding":{"seq":0');
  });

  it('after a break at any write loses nothing and delivers once', async () => {
    for (let at = 1; at <= 4; at += 1) {
      const { tag, gateway, log, visit } = await scene();
      log(1);
      gateway.faults.breakAfterWrites = at;
      const broken = await visit();
      expect(tag.device.status().waiting).toBe(broken.accepted === 1 ? 0 : 1);
      gateway.faults.breakAfterWrites = undefined;
      await visit();
      expect(gateway.reports).toHaveLength(1);
      expect(tag.device.status()).toMatchObject({ waiting: 0, delivered: 1 });
    }
  });
});

describe('flash is not freed', () => {
  it('by a receipt that another key signed', async () => {
    const { tag, gateway, log, visit } = await scene();
    log(1);
    gateway.faults.forge = true;
    expect(await visit()).toMatchObject({ accepted: 0, endedBy: 'signature' });
    expect(tag.device.status()).toMatchObject({ waiting: 1, delivered: 0 });
  });

  it('by a refusal, which the status shows', async () => {
    const { tag, gateway, log, visit } = await scene();
    log(1);
    gateway.faults.refuse = 'busy';
    expect(await visit()).toMatchObject({ accepted: 0, endedBy: 'busy' });
    expect(tag.device.status()).toMatchObject({ waiting: 1, refused: 1, lastRefusal: 'busy' });
  });

  it('by a gateway that refuses a day which the tag’s own clock says is accepted: the next one takes it', async () => {
    const { tag, gateway, log, visit } = await scene();
    log(1);
    gateway.faults.refuse = 'day';
    expect(await visit()).toMatchObject({ accepted: 0, endedBy: 'day' });
    const kept = { waiting: 1, dropped: 0, refused: 1, lastRefusal: 'day', hasOutstanding: true };
    expect(tag.device.status()).toMatchObject(kept);
    gateway.faults.refuse = undefined;
    expect(await visit()).toEqual({ accepted: 1, endedBy: undefined });
    expect(tag.device.status()).toMatchObject({ waiting: 0, dropped: 0, delivered: 1 });
  });
});

describe('a tag writes nothing', () => {
  it('to a gateway certified by another issuer', async () => {
    const { tag, log } = await scene();
    log(1);
    const foreign = testGateway(testAuthority('another'), () => tag.nowMs);
    expect(await runGatewaySession(foreign.connect(), tag.device, SOON)).toMatchObject({
      endedBy: 'certificate',
    });
    expect(foreign.uploads).toEqual([]);
  });

  it('over a connection that carries less than an MTU of 128', async () => {
    const { gateway, log, visit } = await scene();
    log(1);
    gateway.faults.payloadBytes = 124;
    expect(await visit()).toMatchObject({ endedBy: 'size' });
    gateway.faults.payloadBytes = 125;
    expect(await visit()).toMatchObject({ accepted: 1 });
  });

  it('more once the epoch has ended', async () => {
    const { tag, gateway, log, visit } = await scene();
    log(1);
    gateway.faults.onWrite = () => (tag.nowMs = (Math.floor(tag.nowMs / EPOCH_MS) + 1) * EPOCH_MS);
    expect(await visit()).toMatchObject({ accepted: 0, endedBy: 'epoch' });
    gateway.faults.onWrite = () => {};
    expect(await visit()).toMatchObject({ accepted: 1 });
  });

  it('under an ID of the epoch before the one it was last on the air in, when the hello puts its clock back', async () => {
    const at = await scene();
    at.log(1);
    at.tag.nowMs = (Math.floor(at.tag.nowMs / EPOCH_MS) + 1) * EPOCH_MS + 10_000;
    at.tag.device.tick();
    let writes = 0;
    at.gateway.faults.onWrite = () => (writes += 1);
    at.gateway.faults.clockErrorMs = -40_000;
    at.gateway.refresh = { notices: noticeFor(at.authority) };
    expect(await at.visit()).toMatchObject({ accepted: 0, endedBy: 'epoch' });
    expect([writes, at.tag.device.status().waiting]).toEqual([0, 1]);
    expect(at.tag.device.status().warnings).toEqual([{ day: TODAY, number: 1, code: 2 }]);
    at.tag.nowMs += 60_000;
    expect(await at.visit()).toEqual({ accepted: 1, endedBy: undefined });
  });
});

describe('the clock', () => {
  it('is corrected by a verified hello, at most a minute', async () => {
    const { tag, gateway, visit } = await scene();
    gateway.faults.clockErrorMs = 300_000;
    await visit();
    expect(tag.device.nowMs() - tag.nowMs).toBe(60_000);
  });

  it('that was lost is set, and the tag is on the air again', async () => {
    const { tag, visit } = await scene();
    tag.hostErrorMs = 3 * 86_400_000;
    tag.device.tick();
    expect(tag.device.onAir).toBeUndefined();
    const trueMs = tag.nowMs;
    await visit();
    expect(tag.device.nowMs()).toBe(trueMs);
    expect(tag.device.onAir).toBeDefined();
  });
});

describe('refresh', () => {
  it('shows a warning to the tag that a notice means, however many slices it takes', async () => {
    const { authority, tag, gateway, visit } = await scene();
    const { idKey, macKey } = authority.dayKeys(TODAY);
    const key = authKeyOf(macKey, makeEphemeralId(idKey, asTagNumber(17), asEpoch(TODAY * 96)));
    const random = seededRandom('tokens');
    const fill = Array.from({ length: 99 }, () => random.bytes(8));
    const notice = (number: number, tokens: Uint8Array[]) =>
      signNotice(authority.issuer, { day: TODAY, number, code: 2, tokens }, (length) => random.bytes(length));
    gateway.refresh = {
      notices: Buffer.concat([notice(1, fill), notice(2, [...fill, noticeToken(key, 2, 2)])]),
    };
    expect(await visit()).toMatchObject({ endedBy: undefined });
    expect(tag.device.status().warnings).toEqual([{ day: TODAY, number: 2, code: 2 }]);
  });

  it('shows warnings of several notices, and of those read before the session broke off', async () => {
    const at = await scene();
    const { idKey, macKey } = at.authority.dayKeys(TODAY);
    const key = authKeyOf(macKey, makeEphemeralId(idKey, asTagNumber(17), asEpoch(TODAY * 96)));
    const random = seededRandom('tokens');
    const notice = (number: number) =>
      signNotice(
        at.authority.issuer,
        {
          day: TODAY,
          number,
          code: 2,
          tokens: [noticeToken(key, number, 2), ...Array.from({ length: 99 }, () => random.bytes(8))],
        },
        (length) => random.bytes(length),
      );
    at.gateway.refresh = { notices: Buffer.concat([notice(3), notice(2)]).subarray(0, -1) };
    expect(await at.visit()).toMatchObject({ endedBy: 'format' });
    expect(at.tag.device.status().warnings.map(({ number }) => number)).toEqual([3]);
    at.gateway.refresh = { notices: Buffer.concat([notice(3), notice(2), notice(1)]) };
    expect(await at.visit()).toMatchObject({ endedBy: undefined });
    at.gateway.refresh = {};
    await at.visit();
    expect(at.tag.device.status().warnings.map(({ number }) => number)).toEqual([1, 2, 3]);
  });

  it.each([
    [
      'refuses a report',
      (at: Scene) => void (at.gateway.faults.refuse = 'busy'),
      'busy',
      'the gateway refused',
    ],
    [
      'meets a tag that has no credentials left',
      (at: Scene) => at.tag.state.shelf.epochs.clear(),
      'epoch',
      'the tag has no credentials',
    ],
  ])('brings a warning from a gateway that %s', async (_name, spoil, endedBy, words) => {
    const at = await scene();
    at.log(1);
    spoil(at);
    at.gateway.refresh = { notices: noticeFor(at.authority) };
    const why = expect.stringContaining(words) as string;
    expect(await at.visit()).toEqual({ accepted: 0, endedBy, why });
    expect(at.tag.device.status().warnings).toEqual([{ day: TODAY, number: 1, code: 2 }]);
    expect(at.tag.device.status().waiting).toBe(1);
  });

  it('does not believe a notice that the issuer did not sign', async () => {
    const { tag, gateway, visit } = await scene();
    const stranger = fastSigner(new Uint8Array(32).fill(3));
    const tokens = [new Uint8Array(8)];
    gateway.refresh = {
      notices: signNotice(stranger, { day: TODAY, number: 1, code: 1, tokens }, (n) => new Uint8Array(n)),
    };
    expect(await visit()).toMatchObject({ endedBy: 'issuer' });
    expect(tag.device.status().warnings).toEqual([]);
  });

  it('brings the pack of a request whose answer was lost, and passes over another tag’s', async () => {
    const { authority, tag, gateway, visit } = await scene({ days: 1 });
    let answer = new Uint8Array(0);
    const lossy = {
      ...authority.station,
      renew: async (report: Uint8Array) => {
        answer = new Uint8Array(await authority.station.renew(report));
        throw new Error('the wire broke');
      },
    };
    await expect(tag.device.renew(lossy, { firstDay: TODAY + 1, days: 2 })).rejects.toThrow('the wire broke');
    gateway.refresh = { pack: answer.slice().fill(9, 40, 50) };
    await visit();
    expect(tag.device.coveredThrough).toBe(TODAY);
    gateway.refresh = { pack: answer };
    await visit();
    expect(tag.device.coveredThrough).toBe(TODAY + 2);
    expect(tag.device.awaitsPack).toBe(false);
  });
});
