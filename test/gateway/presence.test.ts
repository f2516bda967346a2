import { describe, expect, it } from 'vitest';
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { decodePresenceReport, openPresenceReport } from '../../protocol/session/presence-report.js';
import { dayKeysOf, vectors } from '../protocol/tag-vectors.js';
import { beaconOf, started } from './presence-stand.js';
import { DAY_MS, countingSequence, memoryStore } from './stand.js';

describe('presence at a gateway', () => {
  it('is sealed to the day’s key when the epoch is over, in reports that the ledger admits and the day keys open', async () => {
    const { presence, hear, clock, reports } = await started();
    hear(1030);
    await presence.report();
    expect(reports()).toEqual([]);
    await clock.advance(900_000 + 120_000);
    await presence.report();
    const sent = reports();
    expect(sent.map(({ seq, day }) => [seq, day])).toEqual([
      [0, vectors.day],
      [1, vectors.day],
    ]);
    const records = sent.flatMap((report) => openPresenceReport(report, dayKeysOf));
    expect(records).toHaveLength(1030);
    expect(records[0]).toMatchObject({ ephId: beaconOf(0).ephId, samples: 2, durationSeconds: 2 });
    expect(presence).toMatchObject({ reported: 1030, tagsInReach: 0, lost: 0, beacons: 2060 });
  });

  it('counts as in reach who is heard now: neither who left, nor the ID that a tag had before', async () => {
    const { presence, hear, clock } = await started();
    hear(3);
    expect(presence.tagsInReach).toBe(3);
    await clock.advance(30_000);
    expect(presence.tagsInReach).toBe(0);
    presence.hear(beaconOf(7), -60, clock.nowMs());
    expect(presence.tagsInReach).toBe(1);
    await clock.advance(900_000 + 120_000);
    await presence.report();
    expect(presence.reported).toBe(3);
  });

  it('is reported whole though the clock is set back while a tag is heard', async () => {
    for (const backMs of [500, 5_000, 119_000, 121_000, 3_600_000, 2 * DAY_MS]) {
      const { presence, clock, reports } = await started();
      const nowMs = clock.nowMs();
      for (const ms of [0, 1_000, 1_000 - backMs, 2_000 - backMs])
        presence.hear(beaconOf(1), -60, nowMs + ms);
      for (const ms of [0, 1_000]) presence.hear(beaconOf(2), -60, nowMs + ms);
      await clock.advance(900_000 + 121_000);
      await presence.report();
      const records = reports().flatMap((report) => openPresenceReport(report, dayKeysOf));
      const ofDay = backMs > DAY_MS ? 4 : 6; // without the key of the day before yesterday
      expect(records.reduce((sum, { samples }) => sum + samples, 0)).toBe(ofDay);
      for (const { durationSeconds } of records) expect(durationSeconds).toBe(2);
      expect(reports().map(({ seq }) => seq)).toEqual(reports().map((_, at) => at));
    }
  });

  it('loses a record that no report can hold, and no other, and no number', async () => {
    const { presence, hear, clock, reports } = await started();
    hear(3);
    const impossible = { ...beaconOf(9), txPowerDbm: 300 };
    for (const later of [0, 1000]) presence.hear(impossible, -60, clock.nowMs() + later);
    await presence.finish();
    hear(1);
    await presence.finish();
    expect(reports().map((report) => openPresenceReport(report, dayKeysOf).length)).toEqual([3, 1]);
    expect(reports().map(({ seq }) => seq)).toEqual([0, 1]);
    expect(presence).toMatchObject({ reported: 4, lost: 1 });
  });

  it('waits while the spool is full, and is reported once then, under the number it had', async () => {
    const { presence, hear, courier, clock, reports } = await started();
    hear(2);
    await clock.advance(900_000 + 120_000);
    courier.failure = new FirebreakError('full', 'full');
    for (let turn = 0; turn < 3; turn += 1) await presence.report();
    courier.failure = undefined;
    await presence.report();
    await presence.report();
    expect(reports().map(({ seq }) => seq)).toEqual([0]);
    expect(presence.reported).toBe(2);
  });

  it('waits for a day key that has not arrived, without holding up other days', async () => {
    const { presence, hear, clock, reports } = await started();
    hear(1);
    await clock.advance(2 * DAY_MS);
    hear(1);
    await clock.advance(900_000 + 120_000);
    await presence.report();
    expect(reports().map(({ day }) => day)).toEqual([vectors.day]);
    expect(presence.reported).toBe(1);
  });

  it('is reported at once when the gateway leaves the air', async () => {
    const { presence, hear, reports } = await started();
    hear(3);
    await presence.finish();
    const [report] = reports();
    expect(report && openPresenceReport(report, dayKeysOf)).toHaveLength(3);
    await presence.finish();
    expect(reports()).toHaveLength(1);
  });
});

describe('presence that is in no report yet', () => {
  it('is reported at the next start after a crash, all that was heard up to the last turn', async () => {
    const { presence, hear, disk, reports } = await started();
    hear(1030);
    await presence.report();
    expect(reports()).toEqual([]);
    const next = await started(disk); // the first is not closed
    next.hear(2);
    await next.presence.finish();
    const sent = next.reports().map((report) => [report.seq, openPresenceReport(report, dayKeysOf).length]);
    expect(sent).toEqual([
      [0, 1024],
      [1, 6],
      [2, 2],
    ]);
    const third = await started(disk);
    await third.presence.report();
    expect(third.reports()).toEqual([]);
  });

  it('is posted twice in the same bytes, and never otherwise, by whoever crashes between spool and disk', async () => {
    const { presence, hear, clock, courier, disk } = await started();
    hear(3);
    await presence.report();
    await clock.advance(900_000 + 121_000);
    const post = courier.post.bind(courier);
    courier.post = async (items) => {
      await post(items);
      disk.store.save = () => new Promise(() => undefined); // the crash
    };
    void presence.report();
    await expect.poll(() => courier.items.length).toBe(1);
    const next = await started({ ...disk, store: memoryStore(disk.store.kept) });
    await next.presence.report();
    expect(next.courier.items.map(({ payload }) => payload)).toEqual(
      courier.items.map(({ payload }) => payload),
    );
  });

  for (const draft of ['was written', 'was written and said to have failed'])
    it(`is not posted as two reports under one number when only its draft ${draft}`, async () => {
      const { presence, hear, clock, courier, disk } = await started();
      const full = () => Promise.reject(new FirebreakError('full', 'the disk is full'));
      const save = disk.store.save.bind(disk.store);
      if (draft !== 'was written') disk.store.save = (bytes) => save(bytes).then(full);
      hear(1030);
      await presence.report();
      disk.store.save = full;
      hear(1040);
      await presence.report();
      await clock.advance(900_000 + 121_000);
      await presence.report();
      expect(presence).toMatchObject({ reported: 1040, lost: 0 });
      disk.store.save = save;
      const next = await started(disk); // the first is not closed
      next.hear(2);
      await next.presence.finish();
      const posted = new Map<number, string>();
      for (const { payload } of [...courier.items, ...next.courier.items]) {
        const { seq } = decodePresenceReport(payload);
        expect(posted.get(seq) ?? toHex(payload)).toBe(toHex(payload));
        posted.set(seq, toHex(payload));
      }
      expect(next.presence.reported).toBe(1032); // what the drafts hold too: the file could not be replaced
    });

  it('waits on disk while the ledger would not take it, also over a restart', async () => {
    const { presence, hear, clock, right, disk, reports } = await started();
    right.may = false;
    hear(3);
    await clock.advance(900_000 + 121_000);
    for (let turn = 0; turn < 3; turn += 1) await presence.report();
    await presence.finish();
    expect(reports()).toEqual([]);
    const next = await started(disk);
    await next.presence.report();
    expect(next.reports().map((report) => openPresenceReport(report, dayKeysOf).length)).toEqual([3]);
  });

  it('waits for a clock that starts behind it, and for the next start if need be', async () => {
    const { presence, hear, disk } = await started();
    hear(3);
    await presence.report();
    const behind = await started(disk, -2 * DAY_MS);
    behind.hear(1);
    await behind.presence.report();
    expect(behind.reports()).toEqual([]);
    const next = await started({ ...disk, store: memoryStore(disk.store.kept) });
    await behind.clock.advance(2 * DAY_MS);
    for (const { presence: later, reports } of [behind, next]) {
      await later.report();
      expect(reports().map((report) => openPresenceReport(report, dayKeysOf).length)).toEqual([3]);
    }
  });

  it('is given up as too old only by a clock that the gateway’s certificate agrees with', async () => {
    const { presence, hear, disk } = await started();
    hear(3);
    await presence.report();
    const { presence: later, right, courier, hear: hearMore } = await started(disk, 30 * DAY_MS);
    right.may = false;
    hearMore(1);
    await later.report();
    expect(later).toMatchObject({ lost: 0, tooOld: 0 });
    const next = await started({ ...disk, store: memoryStore(disk.store.kept) });
    await next.presence.report();
    expect(next.presence.reported).toBe(3);
    right.may = true;
    await later.report();
    expect(later).toMatchObject({ lost: 0, tooOld: 3 });
    expect([courier.items, disk.store.kept?.length]).toEqual([[], 0]);
  });

  it('is written once in a turn in which somebody was heard, and not in one without', async () => {
    const { presence, hear, disk } = await started();
    let writes = 0;
    const save = disk.store.save.bind(disk.store);
    disk.store.save = (bytes) => save(bytes).finally(() => (writes += 1));
    await presence.report();
    expect(writes).toBe(0);
    for (let more = 0; more < 20; more += 1) hear(5);
    await presence.report();
    await presence.report();
    expect(writes).toBe(1);
  });

  it('is left alone where the file is damaged', async () => {
    const { presence, hear, disk } = await started();
    hear(3);
    await presence.report();
    const kept = disk.store.kept ?? new Uint8Array();
    const mangled = [
      kept.subarray(0, kept.length - 1),
      kept.map((byte, at) => (at === 40 ? byte ^ 1 : byte)),
    ];
    for (const bytes of [...mangled, new Uint8Array(3)]) {
      const next = await started({ store: memoryStore(bytes), sequence: countingSequence() });
      next.hear(1);
      await next.presence.finish();
      expect(next.reports()).toHaveLength(1);
    }
  });

  it('goes on being reported when it cannot be kept', async () => {
    const { presence, hear, disk, reports } = await started();
    disk.store.save = () => Promise.reject(new FirebreakError('full', 'the disk is full'));
    hear(3);
    await presence.report();
    await presence.finish();
    expect(reports()).toHaveLength(1);
  });
});
