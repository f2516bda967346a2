import { describe, expect, it } from 'vitest';
import { beaconMac, decodeAdvert } from '../../protocol/tag/beacon.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { authKeyOf, makeEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import { noticeToken } from '../../protocol/tag/notice.js';
import { decodeSavedTag } from '../../firmware-sim/tag/saved-tag.js';
import { emptyTable } from '../../firmware-sim/tag/encounter-table.js';
import type { Sample } from '../../firmware-sim/tag/open-record.js';
import type { TagEffect } from '../../firmware-sim/tag/tag-event.js';
import { newChain } from '../../firmware-sim/tag/report-chain.js';
import { newTagState } from '../../firmware-sim/tag/tag-state.js';
import { stepTag } from '../../firmware-sim/tag/tag-step.js';
import { MIDNIGHT_MS, sampleAt, SETTINGS } from './samples.js';
import { testAuthority } from './test-authority.js';
import { NOON_MS, testTag } from './test-tag.js';

const EPOCH_MS = 900_000;
const TODAY = MIDNIGHT_MS / 86_400_000;
const authority = testAuthority();
const zeros = (length: number) => new Uint8Array(length);

describe('what a tag has on the air', () => {
  it('is the beacon of this tag, epoch and minute', async () => {
    const { device } = await testTag(authority, { tag: 17 });
    const epoch = asEpoch(NOON_MS / EPOCH_MS);
    const { idKey, macKey } = authority.dayKeys(TODAY);
    const ephId = makeEphemeralId(idKey, asTagNumber(17), epoch);
    const mac = beaconMac(authKeyOf(macKey, ephId), 0, ephId, NOON_MS / 60_000);
    expect(decodeAdvert(device.onAir?.advert ?? zeros(0))).toEqual({ txPowerDbm: 0, ephId, mac });
  });

  it('changes only its MAC with the minute', async () => {
    const tag = await testTag(authority);
    const before = tag.device.onAir;
    tag.nowMs += 59_999;
    tag.device.tick();
    expect(tag.device.onAir).toBe(before);
    tag.nowMs += 1;
    tag.device.tick();
    const after = tag.device.onAir;
    expect(after).toMatchObject({ epoch: before?.epoch, address: before?.address, phaseMs: before?.phaseMs });
    expect(after?.advert.slice(0, 25)).toEqual(before?.advert.slice(0, 25));
    expect(after?.advert).not.toEqual(before?.advert);
  });

  it('changes address, phase and ephemeral ID together with the epoch', async () => {
    const tag = await testTag(authority);
    const seen = [tag.device.onAir];
    for (let k = 0; k < 20; k += 1) {
      tag.nowMs += EPOCH_MS;
      tag.device.tick();
      seen.push(tag.device.onAir);
    }
    const distinct = (of: (onAir: (typeof seen)[number]) => unknown) =>
      new Set(seen.map((onAir) => String(of(onAir)))).size;
    expect(distinct((onAir) => onAir?.address)).toBe(21);
    expect(distinct((onAir) => onAir?.advert.slice(9, 25))).toBe(21);
    expect(distinct((onAir) => onAir?.phaseMs)).toBeGreaterThan(15);
    expect(seen.every((onAir) => Number.parseInt(onAir?.address.slice(0, 2) ?? '0', 16) >= 0xc0)).toBe(true);
  });

  it('is nothing once the credentials have run out', async () => {
    const tag = await testTag(authority, { days: 1 });
    tag.nowMs = MIDNIGHT_MS + 86_400_000;
    tag.device.tick();
    expect(tag.adverts.at(-1)).toBeUndefined();
    expect(tag.device.onAir).toBeUndefined();
  });
});

describe('a tag that hears itself', () => {
  it('makes nothing of it, nor of what it sent in the last two minutes of the epoch before', async () => {
    const tag = await testTag(authority);
    const hearOwn = (advert: Uint8Array) =>
      tag.device.heard({ address: 'c00000000001', rssiDbm: -20, advert, heardAtMs: tag.nowMs });
    const before = tag.device.onAir?.advert ?? zeros(31);
    hearOwn(before);
    tag.nowMs += EPOCH_MS + 110_000;
    tag.device.tick();
    hearOwn(before);
    hearOwn(tag.device.onAir?.advert ?? zeros(31));
    expect(tag.device.status()).toMatchObject({ heard: 0, open: 0 });
    tag.hear(2);
    expect(tag.device.status()).toMatchObject({ heard: 2, open: 1 });
  });

  it('across midnight knows its last ID of yesterday, and shows no credential of it', async () => {
    const tag = await testTag(authority, { days: 7 });
    const midnightMs = MIDNIGHT_MS + 86_400_000;
    tag.nowMs = midnightMs - 60_000;
    tag.device.tick();
    const advert = tag.device.onAir?.advert ?? zeros(31);
    for (tag.nowMs = midnightMs + 30_000; tag.nowMs < midnightMs + 32_000; tag.nowMs += 1000)
      tag.device.heard({ address: 'c00000000001', rssiDbm: -50, advert, heardAtMs: tag.nowMs });
    expect(tag.device.status()).toMatchObject({ open: 0, heard: 0 });
    expect(tag.state.shelf.epochs.has(TODAY)).toBe(false);
  });
});

describe('midnight', () => {
  it('erases the old secret, in memory and in what is saved', async () => {
    const tag = await testTag(authority);
    const { bytes } = tag.state.secret;
    const before = Buffer.from(bytes).toString('hex');
    tag.nowMs = MIDNIGHT_MS + 86_400_000;
    tag.device.tick();
    expect(bytes).toEqual(zeros(32));
    expect(tag.state.secret.day).toBe(TODAY + 1);
    expect(tag.saved.at(-1)).not.toContain(before);
    expect(tag.saved.at(-1)).toContain(Buffer.from(tag.state.secret.bytes).toString('hex'));
  });

  it('drops what is older than the retention, and counts it', async () => {
    const tag = await testTag(authority);
    tag.hear(1);
    tag.nowMs = NOON_MS + EPOCH_MS + 120_000;
    tag.device.tick();
    expect(tag.device.status()).toMatchObject({ waiting: 1, dropped: 0 });
    tag.nowMs = MIDNIGHT_MS + 21 * 86_400_000;
    tag.device.tick();
    expect(tag.device.status()).toMatchObject({ waiting: 1, dropped: 0 });
    tag.nowMs = MIDNIGHT_MS + 22 * 86_400_000;
    tag.device.tick();
    expect(tag.device.status()).toMatchObject({ waiting: 0, dropped: 1 });
  });
});

describe('a restart', () => {
  it('in mid-epoch gives the records that an uninterrupted tag gives', async () => {
    const through = await testTag(authority);
    const cut = await testTag(authority);
    const notes: Sample[] = [];
    const heard = (at: typeof cut, ms: number, peer: number) => {
      const effects = stepTag(at.state, heardEvent(NOON_MS + ms, peer), zeros);
      for (const effect of effects) if (effect.type === 'note') notes.push(effect.sample);
      return effects;
    };
    for (let ms = 0; ms < 200_000; ms += 1000) {
      heard(through, ms, 1);
      heard(through, ms, 2);
    }
    notes.length = 0;
    for (let ms = 0; ms < 100_000; ms += 1000) {
      heard(cut, ms, 1);
      heard(cut, ms, 2);
    }
    const restored = { ...decodeSavedTag(cut.saved.at(-1) ?? '', SETTINGS), table: emptyTable() };
    stepTag(
      restored,
      { type: 'restart', nowMs: NOON_MS + 100_000, clockLost: false, samples: [...notes], epochs: [] },
      zeros,
    );
    const resumed = { ...cut, state: restored };
    for (let ms = 100_000; ms < 200_000; ms += 1000) {
      heard(resumed, ms, 1);
      heard(resumed, ms, 2);
    }
    const records = (state: typeof restored) =>
      stored(stepTag(state, { type: 'time', nowMs: NOON_MS + 2 * EPOCH_MS }, zeros));
    const resumedRecords = records(restored);
    expect(resumedRecords).toHaveLength(2);
    expect(resumedRecords).toEqual(records(through.state));
  });

  it('keeps address and phase within the epoch', async () => {
    const tag = await testTag(authority);
    tag.hear(1);
    const saved = decodeSavedTag(tag.saved.at(-1) ?? '', SETTINGS);
    stepTag(saved, { type: 'restart', nowMs: tag.nowMs, clockLost: false, samples: [], epochs: [] }, zeros);
    expect(saved.onAir?.epoch).toBe(NOON_MS / EPOCH_MS);
  });

  it('frees again what was delivered just before', async () => {
    const tag = await testTag(authority);
    tag.state.chain = { ...tag.state.chain, delivered: [3, 4] };
    const effects = stepTag(
      tag.state,
      { type: 'restart', nowMs: NOON_MS, clockLost: false, samples: [], epochs: [] },
      zeros,
    );
    expect(effects[0]).toEqual({ type: 'free', ids: [3, 4] });
  });

  it('without its clock makes a tag silent and deaf until a gateway sets it', async () => {
    const tag = await testTag(authority);
    const effects = stepTag(
      tag.state,
      { type: 'restart', nowMs: NOON_MS, clockLost: true, samples: [], epochs: [] },
      zeros,
    );
    expect(effects.map(({ type }) => type)).toEqual(['free', 'silence']);
    expect(stepTag(tag.state, heardEvent(NOON_MS + 1000, 1), zeros)).toEqual([]);
    expect(tag.device.wantsSession).toBe(true);
  });
});

describe('a report whose day a gateway refuses', () => {
  const refusedOf = async (day: number) => {
    const tag = await testTag(authority);
    tag.state.chain = { ...newChain(), outstanding: { seq: 0, day, plaintext: zeros(0), ids: [5] } };
    const refusal = { type: 'receipt', nowMs: NOON_MS, reportHash: zeros(32), refusal: 'day' } as const;
    return { effects: stepTag(tag.state, refusal, zeros), chain: tag.state.chain };
  };

  it('waits for another gateway while the tag’s own clock says that the day is accepted', async () => {
    for (const day of [TODAY - 21, TODAY, TODAY + 1]) {
      const { effects, chain } = await refusedOf(day);
      expect(effects).toEqual([]);
      expect(chain.outstanding).toMatchObject({ seq: 0, day });
    }
  });

  it('is given up when by that clock it is not, and its seq is spent', async () => {
    for (const day of [TODAY - 22, TODAY + 2]) {
      const { effects, chain } = await refusedOf(day);
      expect(effects).toEqual([{ type: 'save' }, { type: 'drop', ids: [5] }]);
      expect(chain).toMatchObject({ nextSeq: 1, outstanding: undefined });
    }
  });
});

describe('a notice', () => {
  it('warns the tag it names, once, and no other', async () => {
    const [meant, other] = [await testTag(authority, { tag: 5 }), await testTag(authority, { tag: 6 })];
    const { idKey, macKey } = authority.dayKeys(TODAY);
    const firstKey = authKeyOf(macKey, makeEphemeralId(idKey, asTagNumber(5), asEpoch(TODAY * 96)));
    const notice = { day: TODAY, number: 9, code: 1, tokens: [noticeToken(firstKey, 9, 1)] };
    for (const tag of [meant, other]) tag.device.readNotices([notice, notice]);
    meant.device.readNotices([notice]);
    expect(meant.device.status().warnings).toEqual([{ day: TODAY, number: 9, code: 1 }]);
    expect(other.device.status().warnings).toEqual([]);
  });

  it('that is older than the 32 warnings a tag keeps does not push newer ones out, however often it comes', async () => {
    const tag = await testTag(authority, { tag: 5 });
    const { idKey, macKey } = authority.dayKeys(TODAY);
    const firstKey = authKeyOf(macKey, makeEphemeralId(idKey, asTagNumber(5), asEpoch(TODAY * 96)));
    const noticeOf = (number: number) => ({
      ...{ day: TODAY, number, code: 1 },
      tokens: [noticeToken(firstKey, number, 1)],
    });
    const all = Array.from({ length: 40 }, (_, k) => noticeOf(40 - k));
    for (const notice of all) tag.device.readNotices([notice]);
    const { warnings } = tag.state;
    expect(warnings.map(({ number }) => number)).toEqual(Array.from({ length: 32 }, (_, k) => k + 9));
    for (const notice of all) tag.device.readNotices([notice]);
    expect(tag.state.warnings).toBe(warnings);
  });
});

describe('the step function', () => {
  it('does nothing for time that changes nothing', async () => {
    const tag = await testTag(authority);
    expect(stepTag(tag.state, { type: 'time', nowMs: NOON_MS + 1 }, zeros)).toEqual([]);
  });

  it('gives the same effects for the same events and random bytes', () => {
    const run = () => {
      const secret = { day: TODAY, bytes: zeros(32) };
      const state = newTagState({ settings: SETTINGS, issuerPublicKey: zeros(32), secret });
      const effects: TagEffect[] = [];
      for (let ms = 0; ms < 2_000_000; ms += 7000)
        effects.push(...stepTag(state, heardEvent(NOON_MS + ms, ms % 3), zeros));
      return effects;
    };
    expect(run()).toEqual(run());
    expect(run().filter(({ type }) => type === 'store').length).toBeGreaterThan(0);
  });
});

function heardEvent(nowMs: number, peer: number) {
  const { ephId, mac, txPowerDbm, rssiDbm } = sampleAt(nowMs, { peer });
  return { type: 'heard', nowMs, beacon: { ephId, mac, txPowerDbm }, rssiDbm } as const;
}

function stored(effects: readonly TagEffect[]) {
  return effects.flatMap((effect) => (effect.type === 'store' ? effect.records : []));
}
