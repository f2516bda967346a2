import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { faultsOf, type Fault } from './faulty-disk.js';
import { callsOf, faultedLife, memoryFolder, prepareLives, type Life, type Outcome } from './fault-sweep.js';

/** Lives under way at once: they mostly wait for timers. */
const AT_ONCE = 4;

let folder = '';
let lives: readonly Life[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(memoryFolder(), 'firebreak-faults-'));
  lives = await prepareLives(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The first call of each kind, and the one in the middle of all of its kind; `npm run bench -- faults` takes every call. */
function chosen(calls: readonly string[]): ReadonlySet<number> {
  const byName = new Map<string, number[]>();
  calls.forEach((name, i) => byName.set(name, [...(byName.get(name) ?? []), i]));
  return new Set([...byName.values()].flatMap((at) => [at[0] ?? 0, at[at.length >> 1] ?? 0]));
}

test.each([0, 1])(
  'a call to the disk that fails, done or not, loses nothing acknowledged and has nothing twice: life %i',
  async (n) => {
    const life = lives[n] as Life;
    const unharmed = await faultedLife(folder, life, undefined);
    const acknowledged = life.to - life.from;
    expect(unharmed).toMatchObject({ acknowledged, stopped: false, leftOpen: 0, wrong: [] });
    const calls = await callsOf(folder, life);
    const some = chosen(calls);
    const faults = faultsOf(calls).filter(({ call }) => some.has(call));
    expect(faults.length).toBeGreaterThan(50);
    const outcomes: (Outcome & { readonly fault: Fault })[] = [];
    const lane = async (): Promise<void> => {
      for (let fault = faults.shift(); fault; fault = faults.shift()) {
        outcomes.push({ fault, ...(await faultedLife(folder, life, fault)) });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    expect(outcomes.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
    // Which calls a life makes differs a little from one time to the next.
    const struck = outcomes.filter(({ call }) => call !== undefined);
    expect(struck.length).toBeGreaterThanOrEqual(0.9 * outcomes.length);
    expect(struck.some(({ stopped }) => stopped)).toBe(true);
  },
  900_000,
);
