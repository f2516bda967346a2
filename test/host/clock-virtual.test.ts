import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../host/clock-virtual.js';

const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe('the virtual clock', () => {
  it('fires in order of time, and of insertion at one time', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.boolean()), { maxLength: 200 }),
        async (plan) => {
          const clock = virtualClock(0);
          const fired: number[] = [];
          const cancels = plan.map(([atMs], index) =>
            clock.schedule(atMs, () => {
              expect(clock.nowMs()).toBe(atMs);
              fired.push(index);
            }),
          );
          plan.forEach(([, cancelled], index) => cancelled && cancels[index]?.());
          await clock.run(20);
          const wanted = plan.flatMap(([atMs, cancelled], index) => (cancelled ? [] : [{ atMs, index }]));
          wanted.sort((x, y) => x.atMs - y.atMs || x.index - y.index);
          expect(fired).toEqual(wanted.map(({ index }) => index));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('fires what is due at the end of a run and nothing after it', async () => {
    const clock = virtualClock(1_000);
    const fired: number[] = [];
    for (const atMs of [1_999, 2_000, 2_001]) clock.schedule(atMs, () => void fired.push(atMs));
    await clock.run(2_000);
    expect([fired, clock.nowMs()]).toEqual([[1_999, 2_000], 2_000]);
    await clock.advance(1);
    expect(fired).toEqual([1_999, 2_000, 2_001]);
  });

  it('waits for what a callback awaits before the next one fires, real time and all', async () => {
    const clock = virtualClock(0);
    const log: string[] = [];
    clock.schedule(10, async () => {
      await later(15);
      log.push(`first at ${clock.nowMs()}`);
    });
    clock.schedule(10, () => void log.push('second'));
    await clock.run(100);
    expect(log).toEqual(['first at 10', 'second']);
  });

  it('runs sleepers through long chains of promises in order', async () => {
    const clock = virtualClock(0);
    const log: string[] = [];
    const walk = async (name: string, stepMs: number): Promise<void> => {
      for (let step = 0; step < 3; step++) {
        await clock.sleep(stepMs);
        for (let hop = 0; hop < 50; hop++) await Promise.resolve();
        log.push(`${name}${clock.nowMs()}`);
      }
    };
    clock.spawn(() => walk('a', 10));
    clock.spawn(() => walk('b', 15));
    await clock.run(1_000);
    expect(log).toEqual(['a10', 'b15', 'a20', 'b30', 'a30', 'b45']); // b slept first for 30: its timer is the older
  });

  it('stands still while held work is pending', async () => {
    const clock = virtualClock(0);
    let seenAt = -1;
    clock.spawn(async () => {
      await clock.sleep(5);
      await clock.hold(later(15));
      seenAt = clock.nowMs();
    });
    clock.schedule(6, () => undefined);
    await clock.run(1_000);
    expect(seenAt).toBe(5);
  });

  it('drives time until a piece of work settles, and no further', async () => {
    const clock = virtualClock(0);
    clock.schedule(500, () => undefined);
    expect(await clock.drive(clock.sleep(250).then(() => 'done'))).toBe('done');
    expect(clock.nowMs()).toBe(250);
    await expect(clock.drive(clock.sleep(1_000), 10)).rejects.toMatchObject({ code: 'timeout' });
    await expect(clock.drive(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    expect(await clock.drive(later(10).then(() => 7))).toBe(7);
  });

  it('passes on what callbacks and tasks reject with', async () => {
    const clock = virtualClock(0);
    clock.schedule(1, async () => Promise.reject(new Error('callback')));
    await expect(clock.run(10)).rejects.toThrow('callback');
    clock.spawn(async () => {
      await clock.sleep(1);
      throw new Error('task');
    });
    await expect(clock.run(20)).rejects.toThrow('task');
    await clock.run(30);
  });

  it('says so when work that holds time waits for time', async () => {
    const clock = virtualClock(0, { stallMs: 30 });
    clock.schedule(1, () => clock.sleep(1));
    await expect(clock.run(10)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('aborts a sleep with the reason of its signal', async () => {
    const clock = virtualClock(0);
    const abort = new AbortController();
    const sleeping = clock.sleep(10, abort.signal);
    abort.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(clock.sleep(10, abort.signal)).rejects.toThrow('enough');
    await clock.run(100);
  });

  it('neither runs back nor twice at a time', async () => {
    const clock = virtualClock(100);
    await expect(clock.run(99)).rejects.toMatchObject({ code: 'input' });
    clock.schedule(150, () => clock.run(200));
    await expect(clock.run(200)).rejects.toMatchObject({ code: 'locked' });
  });

  it('keeps its order when most timers are cancelled', async () => {
    const clock = virtualClock(0);
    const fired: number[] = [];
    const cancels = Array.from({ length: 1_000 }, (_, i) =>
      clock.schedule((i * 7_919) % 1_000, () => void fired.push((i * 7_919) % 1_000)),
    );
    cancels.forEach((cancel, i) => i % 10 !== 0 && cancel());
    await clock.run(1_000);
    expect(fired).toHaveLength(100);
    expect(fired).toEqual([...fired].sort((x, y) => x - y));
  });
});
