import { afterEach, describe, expect, it, vi } from 'vitest';
import { liveClock } from '../../host/clock-live.js';

describe('the live clock', () => {
  afterEach(() => void vi.useRealTimers());

  it('is the wall clock by default', () => {
    const before = Date.now();
    const now = liveClock().nowMs();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(Date.now());
  });

  it('runs from its start at its rate', () => {
    vi.useFakeTimers({ now: 5_000 });
    const clock = liveClock({ startMs: 1_700_006_400_000, rate: 60, anchorWallMs: 4_000 });
    expect(clock.nowMs()).toBe(1_700_006_460_000);
    vi.advanceTimersByTime(1_500);
    expect(clock.nowMs()).toBe(1_700_006_550_000);
  });

  it('sleeps deployment time', async () => {
    const clock = liveClock({ rate: 100 });
    const before = performance.now();
    await clock.sleep(5_000);
    const tookMs = performance.now() - before;
    expect(tookMs).toBeGreaterThanOrEqual(50);
    expect(tookMs).toBeLessThan(5_000);
  });

  it('sleeps longer than a timer can', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
    const days = 40 * 86_400_000;
    let awake = false;
    const sleeping = liveClock()
      .sleep(days)
      .then(() => (awake = true));
    await vi.advanceTimersByTimeAsync(days - 1_000);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1_001);
    await sleeping;
    expect(awake).toBe(true);
  });

  it('wakes with the reason of its signal', async () => {
    const abort = new AbortController();
    const sleeping = liveClock().sleep(60_000, abort.signal);
    abort.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(liveClock().sleep(1, abort.signal)).rejects.toThrow('enough');
  });

  it.each([0, -1, NaN, Infinity])('refuses a rate of %d', (rate) => {
    expect(() => liveClock({ rate })).toThrow(/rate/);
  });
});
