import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_SECONDS } from '../../../protocol/time.js';
import { expiredSegments, nextCompaction, stretchesOf } from '../../../tracer/contacts/compaction-policy.js';
import type { SegmentInfo } from '../../../tracer/contacts/manifest.js';

let nextId = 1;
function segment(firstDay: number, lastDay = firstDay, contacts = 1000): SegmentInfo {
  return {
    id: nextId++,
    contacts,
    baseSeconds: firstDay * DAY_SECONDS,
    lastSeconds: (lastDay + 1) * DAY_SECONDS - 1,
    firstDay,
    lastDay,
    people: 10,
    segmentBytes: 1,
    segmentChecksum: 1,
    evidenceBytes: 1,
    evidenceChecksum: 1,
  };
}

function merged(parts: readonly SegmentInfo[]): SegmentInfo {
  const sum = parts.reduce((all, { contacts }) => all + contacts, 0);
  return segment(
    Math.min(...parts.map(({ firstDay }) => firstDay)),
    Math.max(...parts.map(({ lastDay }) => lastDay)),
    sum,
  );
}

/** Lives for some days with so many contacts sealed on each; gives the most segments there ever were, and contacts written. */
function liveFor(days: number, sealedOn: (day: number) => readonly number[], maxContacts?: number) {
  const first = 19_700;
  let segments: SegmentInfo[] = [];
  let [most, written, sealed] = [0, 0, 0];
  for (let today = first; today < first + days; today++) {
    const limits = { today, keepFrom: (today - 21) * DAY_SECONDS, ...(maxContacts ? { maxContacts } : {}) };
    const gone = expiredSegments(segments, limits.keepFrom);
    segments = segments.filter(({ id }) => !gone.includes(id));
    for (let ids = nextCompaction(segments, limits); ids; ids = nextCompaction(segments, limits)) {
      const chosen = ids;
      const parts = segments.filter(({ id }) => chosen.includes(id));
      const one = merged(parts);
      // One alone was cut: what is left of it begins at the border.
      const cut =
        ids.length === 1 ? { ...one, baseSeconds: limits.keepFrom, contacts: one.contacts >> 1 } : one;
      segments = [...segments.filter(({ id }) => !chosen.includes(id)), cut];
      written += cut.contacts;
    }
    most = Math.max(most, segments.length);
    for (const contacts of sealedOn(today)) {
      segments.push(segment(today, today, contacts));
      sealed += contacts;
    }
  }
  return { most, written: written / sealed };
}

describe('what to compact', () => {
  it('keeps three weeks of days in six segments, and writes each contact anew about twice', () => {
    const { most, written } = liveFor(100, () => [1000]);
    expect(most).toBeLessThanOrEqual(6);
    expect(written).toBeLessThan(2.5);
  });

  it('keeps them few when days are sealed in parts, and comes to an end whatever the sizes', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.array(
            fc.nat({ max: 100_000 }).map((n) => n + 1),
            { maxLength: 6 },
          ),
          { minLength: 1, maxLength: 9 },
        ),
        (plan) => {
          const { most } = liveFor(45, (day) => plan[day % plan.length] ?? []);
          expect(most).toBeLessThanOrEqual(18);
        },
      ),
    ));

  it('does not write a large segment again for a small one', () => {
    const [week, late] = [segment(19_698, 19_704, 100_000), segment(19_700, 19_700, 10)];
    expect(nextCompaction([week, late], { today: 19_720, keepFrom: 0 })).toBeUndefined();
    const more = segment(19_701, 19_701, 50_000);
    expect(nextCompaction([week, late, more], { today: 19_720, keepFrom: 0 })).toEqual([
      week.id,
      late.id,
      more.id,
    ]);
  });

  it('leaves what is more than one compaction may take', () => {
    const days = [0, 1, 2, 3, 4, 5, 6].map((day) => segment(19_698 + day));
    const limits = { today: 19_720, keepFrom: 0, maxContacts: 3500 };
    expect(nextCompaction(days, limits)).toHaveLength(3);
    expect(
      nextCompaction([segment(19_698), segment(19_699)], { ...limits, maxContacts: 1500 }),
    ).toBeUndefined();
  });

  it('rids a segment of what was replaced when that is more than half', () => {
    const one = segment(19_698, 19_704);
    const limits = { today: 19_720, keepFrom: 0 };
    expect(nextCompaction([one], { ...limits, replacedIn: () => 501 })).toEqual([one.id]);
    expect(nextCompaction([one], { ...limits, replacedIn: () => 500 })).toBeUndefined();
  });

  it('does not take a segment that reaches over the border for half dead: nobody knows what of it is left', () => {
    const one = segment(19_698, 19_704);
    expect(nextCompaction([one], { today: 19_720, keepFrom: 19_702 * DAY_SECONDS })).toBeUndefined();
  });

  it('drops a segment when the last of its contacts is past retention', () => {
    const [old, newer] = [segment(19_698), segment(19_699)];
    const border = 19_699 * DAY_SECONDS;
    expect(expiredSegments([old, newer], border)).toEqual([old.id]);
    expect(expiredSegments([old], border - 1)).toEqual([]);
  });

  it('imports weeks, and runs of days where a week is too much', () => {
    const days = [0, 1, 2, 3, 4, 5, 6, 7, 8].map((day) => ({ day: 19_698 + day, contacts: 10 }));
    const sizes = (maxContacts?: number) => stretchesOf(days, maxContacts).map(({ length }) => length);
    expect(sizes()).toEqual([7, 2]);
    expect(sizes(69)).toEqual([3, 3, 1, 2]);
    expect(sizes(29)).toEqual([1, 1, 1, 1, 1, 1, 1, 2]);
  });

  it('imports day by day where three days are too much', () => {
    const days = [0, 1, 2].map((day) => ({ day: 19_698 + day, contacts: 60_000_000 }));
    expect(stretchesOf(days)).toEqual([[19_698], [19_699], [19_700]]);
  });
});
