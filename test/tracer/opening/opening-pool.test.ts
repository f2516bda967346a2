import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { DayKeysOf } from '../../../protocol/tag/report-open.js';
import { inlineOpener } from '../../../tracer/opening/opener.js';
import { openOpeningPool } from '../../../tracer/opening/opening-pool.js';
import type { OpeningPool, OpeningPoolOptions } from '../../../tracer/opening/opening-pool.js';
import type { Openings } from '../../../tracer/opening/opener.js';
import type { LoggedReport, Opening } from '../../../tracer/opening/open-report.js';
import type { OpenRequest } from '../../../tracer/opening/opening-messages.js';
import { startOpeningThread } from '../../../tracer/opening/opening-thread.js';
import type { OpeningThread } from '../../../tracer/opening/opening-thread.js';
import { dayKeys, keysOf, NOON, recordOf, reportOf } from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import { DAY, entriesOf, settings } from './logged-things.js';

const log = new MemoryLog();
for (let tag = 1; tag <= 100; tag++) log.append(reportOf({ tag, records: [recordOf(101, NOON, 60)] }));
const reports: readonly LoggedReport[] = entriesOf(log).map((entry, place) => ({
  entry,
  payload: reportOf({ tag: place + 1, records: [recordOf(101, NOON, 60)] }).payload,
}));

/** A thread starts late on a busy machine. */
const PATIENT = { timeout: 50_000 };

function opened(threads: number, options: OpeningPoolOptions = {}): OpeningPool {
  const pool = openOpeningPool(settings, threads, { chunksBeforeStart: 0, ...options });
  onTestFinished(() => pool.close());
  return pool;
}

/** Asked for in order, as the intake does. */
async function foundIn(openings: Openings, some = reports): Promise<Opening[]> {
  const found: Opening[] = [];
  for (const place of some.keys()) found.push(await openings.at(place));
  return found;
}

const EXPECTED = await foundIn(inlineOpener(settings).open(reports, dayKeys));

/** When the threads run: the reports are opened once more, by them. */
async function started(pool: OpeningPool): Promise<void> {
  await vi.waitFor(async () => {
    expect(await foundIn(pool.open(reports, dayKeys))).toEqual(EXPECTED);
    expect(pool.status().opened).toBeGreaterThan(0);
  }, PATIENT);
}

/** A pool whose threads can be ended as a defect in one would, when they are given something while `isBroken`. */
function mortalPool(count: number) {
  const threads: OpeningThread[] = [];
  const requests: OpenRequest[] = [];
  const state = { isBroken: false };
  const pool = opened(count, {
    startThread: (given, events) => {
      const thread = startOpeningThread(given, events);
      threads.push(thread);
      const post = (request: OpenRequest): void => {
        requests.push({ ...request, keys: [...request.keys] });
        thread.post(request);
        if (state.isBroken) void thread.end();
      };
      return { ...thread, post };
    },
  });
  return { pool, threads, requests, state };
}

describe('reports opened on threads', () => {
  test('are opened here until enough came, and until threads run', async () => {
    const pool = opened(1, { chunksBeforeStart: 14 }); // a hundred are seven chunks
    const few = pool.open(reports, dayKeys);
    expect(reports.map((_, place) => few.at(place))).toEqual(EXPECTED); // at once, none a promise
    expect(pool.status()).toMatchObject({ threads: 0, opened: 0 });
    const enough = pool.open(reports, dayKeys);
    expect(reports.map((_, place) => enough.at(place))).toEqual(EXPECTED);
    expect(pool.status()).toMatchObject({ threads: 1, opened: 0 });
    await started(pool);
    expect(pool.status()).toMatchObject({ threads: 1, deaths: 0 });
    const page = pool.open(reports.slice(0, 16), dayKeys);
    expect(page.at(3)).toEqual(EXPECTED[3]); // too few to send
  });

  test('are opened with the keys there are when they are handed out, and with no others', async () => {
    const { pool, requests } = mortalPool(1);
    await started(pool);
    const source = keysOf([DAY]);
    expect(await foundIn(pool.open(reports, source.of))).toEqual(EXPECTED);
    expect(requests.at(-1)?.keys.map(({ day }) => day)).toEqual([DAY]);
    source.days = [];
    await source.refresh(); // the authority has destroyed them
    const none: Opening[] = reports.map(() => ({ kind: 'waits', day: DAY }));
    expect(await foundIn(pool.open(reports, source.of))).toEqual(none);
    expect(requests.at(-1)?.keys).toEqual([]);
  });

  test('leave the bytes they came in as they were, also when these are part of more', async () => {
    const pool = opened(1);
    await started(pool);
    const around = Buffer.concat([Buffer.alloc(100, 7), ...reports.map(({ payload }) => payload)]);
    const copy = Buffer.from(around);
    let at = 100;
    const parts = reports.map(({ entry, payload }) => {
      const part = { entry, payload: new Uint8Array(around.buffer, around.byteOffset + at, payload.length) };
      at += payload.length;
      return part;
    });
    expect(await foundIn(pool.open(parts, dayKeys))).toEqual(EXPECTED);
    expect(copy.equals(around)).toBe(true);
  });

  test('that nobody asks for any more are not opened', async () => {
    const { pool, requests } = mortalPool(1);
    await started(pool);
    const before = requests.length;
    pool.open(reports, dayKeys).done(); // two of its seven chunks are with the thread already
    const some = reports.slice(0, 32);
    expect(await foundIn(pool.open(some, dayKeys), some)).toEqual(EXPECTED.slice(0, 32));
    expect(requests).toHaveLength(before + 2 + 2);
  });
});

describe('a thread that dies', () => {
  test('is replaced, and what it had is opened by another', async () => {
    const { pool, threads } = mortalPool(2);
    await started(pool);
    const finding = foundIn(pool.open(reports, dayKeys));
    await threads[0]?.end();
    expect(await finding).toEqual(EXPECTED);
    expect(pool.status()).toMatchObject({ deaths: 1 });
    await vi.waitFor(() => expect(threads.length).toBe(3), PATIENT);
  });

  test('again and again: what it died of is opened here, and in the end no more are started for a while', async () => {
    const { pool, threads, state } = mortalPool(1);
    await started(pool);
    state.isBroken = true;
    await vi.waitFor(async () => {
      expect(await foundIn(pool.open(reports, dayKeys))).toEqual(EXPECTED);
      expect(pool.status()).toMatchObject({ threads: 0, deaths: 3 });
    }, PATIENT);
    const { length } = threads;
    expect(await foundIn(pool.open(reports, dayKeys))).toEqual(EXPECTED);
    expect(threads.length).toBe(length);
    state.isBroken = false;
    await vi.waitFor(async () => {
      await foundIn(pool.open(reports, dayKeys));
      expect(pool.status()).toMatchObject({ threads: 1 });
    }, PATIENT);
  });

  test('before it runs, or that cannot be started at all, keeps no page waiting', async () => {
    const why: string[] = [];
    const dying = opened(1, {
      onDeath: (reason) => why.push(reason),
      startThread: (given, events) => startOpeningThread(given, events, 1),
    });
    expect(await foundIn(dying.open(reports, dayKeys))).toEqual(EXPECTED);
    await vi.waitFor(() => expect(why).toEqual(['it took longer than 0.001 s']), PATIENT);
    const none = opened(2, {
      startThread: () => {
        throw new Error('no room for a thread');
      },
    });
    expect(await foundIn(none.open(reports, dayKeys))).toEqual(EXPECTED);
    expect(none.status()).toMatchObject({ threads: 0, lastDeath: 'no room for a thread' });
  });

  test('of a pool that is closed leaves nothing waiting', async () => {
    const { pool } = mortalPool(2);
    await started(pool);
    const finding = foundIn(pool.open(reports, dayKeys));
    await pool.close();
    expect(await finding).toEqual(EXPECTED);
    expect(await foundIn(pool.open(reports, dayKeys))).toEqual(EXPECTED);
    expect(pool.status()).toMatchObject({ threads: 0, deaths: 0 });
  });
});

describe('a request that cannot be made or handed over', () => {
  const unposted: readonly (readonly [string, boolean])[] = [
    ['posted', true],
    ['made', false],
  ];
  test.each(unposted)(
    '(not %s) shifts no answer: what it was for is opened all the same',
    async (_what, isMade) => {
      const state = { isFailing: false };
      const fail = (): void => {
        if (!state.isFailing) return;
        state.isFailing = false;
        throw new RangeError('Array buffer allocation failed');
      };
      const pool = opened(1, {
        startThread: (given, events) => {
          const thread = startOpeningThread(given, events);
          const post = (request: OpenRequest): void => {
            if (isMade) fail();
            thread.post(request);
          };
          return { ...thread, post };
        },
      });
      const keysNow: DayKeysOf = (day) => {
        if (!isMade) fail();
        return dayKeys(day);
      };
      await started(pool);
      state.isFailing = true;
      expect(await foundIn(pool.open(reports, keysNow))).toEqual(EXPECTED);
      expect(state.isFailing).toBe(false);
      const other = [...reports].reverse();
      expect(await foundIn(pool.open(other, keysNow))).toEqual([...EXPECTED].reverse());
    },
  );
});

test('keys of a day whose bytes are views of more are posted alone, and the copies are wiped here', async () => {
  const around = new Uint8Array(4096).fill(5);
  around.set(dayKeys(DAY).idKey, 64);
  const viewed: DayKeysOf = (day) => {
    const keys = dayKeys(day);
    return day === DAY ? { ...keys, idKey: around.subarray(64, 96) } : keys;
  };
  const { pool, requests } = mortalPool(1);
  await started(pool);
  expect(await foundIn(pool.open(reports, viewed))).toEqual(EXPECTED);
  const keys = requests.at(-1)?.keys ?? [];
  expect(keys.map(({ day }) => day)).toEqual([DAY, DAY - 1, DAY + 1]);
  for (const { idKey, macKey, sealingSecretKey } of keys)
    for (const secret of [idKey, macKey, sealingSecretKey])
      expect(new Uint8Array(secret.buffer)).toEqual(new Uint8Array(32));
  expect(dayKeys(DAY).idKey).not.toEqual(new Uint8Array(32));
});
