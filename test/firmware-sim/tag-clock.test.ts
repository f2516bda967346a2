import { describe, expect, it } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import { clockByHost, lostClock, newClock, setByHello } from '../../firmware-sim/tag/tag-clock.js';
import type { TagClock } from '../../firmware-sim/tag/tag-clock.js';
import { MIDNIGHT_MS } from './samples.js';

const TODAY = MIDNIGHT_MS / 86_400_000;
const NOON_MS = MIDNIGHT_MS + 43_200_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;

function hello(timeMs: number, fromDay = TODAY, toDay = TODAY + 6) {
  const none = new Uint8Array(0);
  const certificate = { issuerId: none, gatewayPublicKey: none, fromDay, toDay, signature: none };
  return { timeMs: asUnixMs(timeMs), certificate };
}

const after = (clock: TagClock, timeMs: number, nowMs: number) => setByHello(clock, hello(timeMs), nowMs);

describe('a tag clock that runs', () => {
  it('takes a correction of up to a minute whole', () => {
    expect(after(newClock(), NOON_MS + 41_000, NOON_MS).offsetMs).toBe(41_000);
    expect(after(newClock(), NOON_MS - 60_000, NOON_MS).offsetMs).toBe(-60_000);
  });

  it('moves no more than a minute at a time, either way', () => {
    expect(after(newClock(), NOON_MS + 10 * MINUTE, NOON_MS).offsetMs).toBe(MINUTE);
    expect(after(newClock(), NOON_MS - 10 * MINUTE, NOON_MS).offsetMs).toBe(-MINUTE);
  });

  it('moves once an hour', () => {
    const moved = after(newClock(), NOON_MS + 10 * MINUTE, NOON_MS);
    const movedAt = NOON_MS + MINUTE;
    expect(after(moved, NOON_MS + 10 * MINUTE, movedAt + HOUR - 1).offsetMs).toBe(MINUTE);
    expect(after(moved, NOON_MS + 2 * HOUR, movedAt + HOUR).offsetMs).toBe(2 * MINUTE);
  });

  it('does not use up its hour on a session that had nothing to correct', () => {
    const same = after(newClock(), NOON_MS, NOON_MS);
    expect(after(same, NOON_MS + MINUTE, NOON_MS + 1).offsetMs).toBe(MINUTE - 1);
  });

  it('remembers the newest signed time, also while it waits', () => {
    const moved = after(newClock(), NOON_MS + MINUTE, NOON_MS);
    const seen = after(moved, NOON_MS + 20 * MINUTE, NOON_MS + 2 * MINUTE);
    expect(seen.newestSignedMs).toBe(NOON_MS + 20 * MINUTE);
    expect(after(seen, NOON_MS, NOON_MS + 3 * MINUTE).newestSignedMs).toBe(NOON_MS + 20 * MINUTE);
  });

  it('does not remember the time of a gateway that is hours ahead: a clock lost later could not be set', () => {
    const seen = after(newClock(), NOON_MS + 3 * HOUR, NOON_MS);
    expect(seen.newestSignedMs).toBe(0);
    expect(after(lostClock(seen), NOON_MS + HOUR, 5)).toMatchObject({ isLost: false });
  });

  it('does not believe a gateway whose certificate does not hold on its own day', () => {
    const believe = (fromDay: number, toDay: number) => () =>
      setByHello(newClock(), hello(NOON_MS, fromDay, toDay), NOON_MS);
    expect(believe(TODAY, TODAY)).not.toThrow();
    expect(believe(TODAY - 7, TODAY - 1)).toThrow(expect.objectContaining({ code: 'certificate' }));
    expect(believe(TODAY + 1, TODAY + 2)).toThrow(expect.objectContaining({ code: 'certificate' }));
  });
});

describe('a hello that was recorded and is played back', () => {
  const seen = after(newClock(), NOON_MS, NOON_MS);

  it('is refused by a clock that runs', () => {
    for (const recordedMs of [NOON_MS - HOUR, NOON_MS - 2 * MINUTE - 1])
      expect(() => after(seen, recordedMs, NOON_MS + 5 * HOUR)).toThrow(
        expect.objectContaining({ code: 'epoch' }),
      );
  });

  it('is not told from one of a gateway that is a little behind another, and moves nothing', () => {
    for (const timeMs of [NOON_MS - 2 * MINUTE, NOON_MS - 1, NOON_MS])
      expect(after(seen, timeMs, NOON_MS + 5 * HOUR)).toEqual(seen);
    expect(after(seen, NOON_MS - 3000, NOON_MS + 10_000)).toEqual(seen);
  });

  it('does not have an honest correction wait', () => {
    const played = after(seen, NOON_MS, NOON_MS + 5 * HOUR);
    expect(after(played, NOON_MS + 5 * HOUR + 40_000, NOON_MS + 5 * HOUR + 1).offsetMs).toBe(39_999);
  });

  it('gains a minute once when it is newer than the last honest one', () => {
    const played = after(seen, NOON_MS + HOUR, NOON_MS + 5 * HOUR);
    expect(played.offsetMs).toBe(-MINUTE);
    expect(after(played, NOON_MS + HOUR, NOON_MS + 7 * HOUR)).toEqual(played);
  });

  it('does not confirm a clock that a gateway may still set freely', () => {
    const started = clockByHost(seen, NOON_MS + HOUR);
    expect(after(started, NOON_MS - 1000, NOON_MS + 30_000)).toEqual(started);
  });

  it('is judged by the clock alone while the newest signed time lies ahead: one gateway was ahead', () => {
    const ahead = after(seen, NOON_MS + HOUR, NOON_MS + 1000);
    expect(after(ahead, NOON_MS + 2 * MINUTE, NOON_MS + 3 * MINUTE)).toMatchObject({ offsetMs: MINUTE });
    expect(ahead.newestSignedMs).toBe(NOON_MS + HOUR);
  });
});

describe('a tag clock that only its host has set since a start', () => {
  const started = clockByHost(newClock(), NOON_MS - HOUR);

  it('is set freely until a hello agrees with it, and moves by a minute from then on', () => {
    const set = after(started, NOON_MS + 5 * HOUR, NOON_MS);
    expect(set.offsetMs).toBe(5 * HOUR);
    const agreed = after(set, NOON_MS + 7 * HOUR, NOON_MS + 7 * HOUR);
    expect(after(agreed, NOON_MS + 11 * HOUR, NOON_MS + 8 * HOUR).offsetMs).toBe(5 * HOUR + MINUTE);
  });

  it('is set right by the next gateway when the first was hours ahead of a host that was right', () => {
    const ahead = after(started, NOON_MS + 20 * HOUR, NOON_MS);
    expect(ahead).toMatchObject({ offsetMs: 20 * HOUR, newestSignedMs: 0 });
    expect(after(ahead, NOON_MS + HOUR, NOON_MS + 21 * HOUR).offsetMs).toBe(0);
  });

  it('is moved by a minute only, by a gateway that is days ahead, and stays free for one that is not', () => {
    const moved = after(started, NOON_MS + 72 * HOUR, NOON_MS);
    expect(moved).toMatchObject({ offsetMs: MINUTE, newestSignedMs: 0 });
    expect(after(moved, NOON_MS + 3 * HOUR, NOON_MS + MINUTE).offsetMs).toBe(3 * HOUR);
  });

  it('gains nothing on its host by a second gateway that is ahead', () => {
    const set = after(started, NOON_MS + 20 * HOUR, NOON_MS);
    expect(after(set, NOON_MS + 40 * HOUR, NOON_MS + 21 * HOUR).offsetMs).toBe(20 * HOUR + MINUTE);
  });

  it('is set over weeks by a certificate that begins only after the day its host says', () => {
    const now = hello(NOON_MS + 30 * 24 * HOUR, TODAY + 29, TODAY + 35);
    expect(setByHello(started, now, NOON_MS).offsetMs).toBe(30 * 24 * HOUR);
    expect(() => setByHello(newClock(), now, NOON_MS)).toThrow(
      expect.objectContaining({ code: 'certificate' }),
    );
  });

  it('does not believe a certificate that ended before the day its host says', () => {
    const past = () => setByHello(started, hello(NOON_MS - 30 * MINUTE, TODAY - 7, TODAY - 1), NOON_MS);
    expect(past).toThrow(expect.objectContaining({ code: 'certificate' }));
  });

  it('is not set to before the time that the tag knew when it stopped', () => {
    expect(after(started, NOON_MS - HOUR - 1, NOON_MS).offsetMs).toBe(-MINUTE);
    expect(after(started, NOON_MS - HOUR, NOON_MS).offsetMs).toBe(-HOUR);
  });

  it('is confirmed by a hello that agrees', () => {
    const agreed = after(started, NOON_MS + 1000, NOON_MS);
    expect(after(agreed, NOON_MS + 10 * HOUR, NOON_MS + 2 * HOUR).offsetMs).toBe(1000 + MINUTE);
  });

  it('keeps its bound over another start', () => {
    expect(clockByHost(started, NOON_MS + 9 * HOUR).freeFromMs).toBe(NOON_MS - HOUR);
  });
});

describe('a tag clock that was lost', () => {
  const seen = after(newClock(), NOON_MS, NOON_MS);

  it('is set once freely', () => {
    const set = after(lostClock(seen), NOON_MS + 30 * HOUR, 5);
    expect(set).toMatchObject({ isLost: false, offsetMs: NOON_MS + 30 * HOUR - 5 });
    const again = after(set, NOON_MS + 60 * HOUR, NOON_MS + 30 * HOUR + 2 * HOUR);
    expect(again.offsetMs - set.offsetMs).toBe(MINUTE);
  });

  it('is never set before the newest signed time, and stays lost then', () => {
    const lost = lostClock(seen);
    expect(() => after(lost, NOON_MS - 1, 5)).toThrow(expect.objectContaining({ code: 'epoch' }));
    expect(after(lost, NOON_MS, 5).isLost).toBe(false);
  });
});
