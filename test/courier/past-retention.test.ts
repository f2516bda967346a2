import { describe, expect, it } from 'vitest';
import { pastRetention } from '../../courier/past-retention.js';
import { asUnixMs } from '../../protocol/brands.js';
import type { CountedClock } from '../../protocol/clock.js';

const DAY_MS = 86_400_000;
const START_MS = 1_800_000_000_000;

/** A clock that a test sets, and the time that passes beside it. */
function stage(mayClockBeRight?: () => boolean) {
  const at = { clockMs: START_MS, counterMs: 5_000 };
  const clock: CountedClock = {
    nowMs: () => asUnixMs(at.clockMs),
    sleep: () => Promise.resolve(),
    counter: { nowMs: () => at.counterMs, rate: 1 },
  };
  const pass = (days: number): void => {
    at.clockMs += days * DAY_MS;
    at.counterMs += days * DAY_MS;
  };
  const leap = (days: number): void => void (at.clockMs += days * DAY_MS);
  return { pass, leap, isPast: pastRetention({ clock, retentionDays: 21, mayClockBeRight }) };
}

describe('what waits in a spool', () => {
  it('is past its window a day after it, and no sooner', () => {
    const { pass, isPast } = stage();
    pass(22);
    expect(isPast(START_MS)).toBe(false);
    pass(0.01);
    expect(isPast(START_MS)).toBe(true);
    expect(isPast(START_MS + DAY_MS)).toBe(false);
  });

  it('is not given up for a clock that leapt, however long it stays so', () => {
    const { pass, leap, isPast } = stage();
    leap(40);
    expect(isPast(START_MS)).toBe(false);
    pass(19);
    expect(isPast(START_MS)).toBe(false);
    leap(-40);
    expect(isPast(START_MS)).toBe(false);
  });

  it('is given up in the end by a clock that leapt and was right', () => {
    const { pass, leap, isPast } = stage();
    leap(40);
    pass(21);
    expect(isPast(START_MS)).toBe(true);
  });

  it('is given up by a clock that was set within a step', () => {
    const { pass, leap, isPast } = stage();
    pass(20.5);
    leap(1.9);
    expect(isPast(START_MS)).toBe(true);
  });

  it('waits while something else says that the clock is wrong, also at a start', () => {
    const other = { mayBeRight: false };
    const { isPast } = stage(() => other.mayBeRight);
    expect(isPast(START_MS - 40 * DAY_MS)).toBe(false);
    other.mayBeRight = true;
    expect(isPast(START_MS - 40 * DAY_MS)).toBe(true);
  });
});
