import { setImmediate as breathe } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { silentLog } from '../../../protocol/log.js';
import { DAY_SECONDS } from '../../../protocol/time.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { openSegmentStore } from '../../../tracer/contacts/segment-store.js';
import { Haste, standAsideFor } from '../../../tracer/contacts/stand-aside.js';
import type { Waiting } from '../../../tracer/contacts/stand-aside.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks, startTaskThread } from '../../../tracer/contacts/task-thread.js';
import type { TaskThread } from '../../../tracer/contacts/task-thread.js';
import type { Testimony } from '../../../tracer/testimony.js';
import { addPeople, contact, expectedRows, inTimeOrder, rowsOf, temporaryFolder, toSeal } from './stage.js';

const cell = (walks: number): Int32Array => new Int32Array(new SharedArrayBuffer(4)).fill(walks);

afterEach(() => void vi.restoreAllMocks());

/** Shows these times, one after the other, and then no more. */
function clockOf(...times: readonly number[]) {
  const left = [...times];
  return { left, now: () => left.shift() ?? expect.unreachable('the clock was read too often') };
}

/** What the work waited on, and how that ended. */
function waitsSeen() {
  const waits = vi.spyOn(Atomics, 'wait');
  return () => waits.mock.results.map(({ value }) => value as string);
}

test('work goes on for a millisecond while no trace is walked, then rests', () => {
  const waits = waitsSeen();
  const { now, left } = clockOf(0, 0.3, 0.9, 1.1, /* rested */ 4.1, 4.9, 5.2, /* rested */ 8.2);
  const standAside = standAsideFor({ walks: cell(0), haste: new Haste().word }, now);
  for (let k = 0; k < 3; k++) standAside();
  expect(waits()).toEqual(['timed-out']);
  standAside();
  expect(waits()).toEqual(['timed-out']);
  standAside();
  expect(waits()).toEqual(['timed-out', 'timed-out']);
  expect(left).toEqual([]);
});

test('work does not rest in haste', async () => {
  const haste = new Haste();
  haste.isOn = true;
  const waits = waitsSeen();
  const standAside = standAsideFor({ walks: cell(0), haste: haste.word }, clockOf(0, 2, 2, 4, 4).now);
  standAside();
  standAside();
  expect(waits()).toEqual(['not-equal', 'not-equal']);
});

test('work waits for traces no longer than it has worked, and 50 ms', () => {
  const { now, left } = clockOf(0, 100, 100, 249, 250, 250, /* next */ 250, 250, 250);
  const standAside = standAsideFor({ walks: cell(1), haste: new Haste().word }, now);
  standAside(); // 100 ms of work and 50: until 250
  expect(left).toEqual([250, 250, 250]);
  standAside(); // 100 ms of work, 150 of waiting: not at all
  expect(left).toEqual([]);
});

test('a rest is no work, for which traces would have to wait', () => {
  const walks = cell(0);
  const { now, left } = clockOf(0, 100, /* rested */ 900, 900, 900, 1049, 1050, 1050);
  const standAside = standAsideFor({ walks, haste: new Haste().word }, now);
  standAside();
  Atomics.store(walks, 0, 1);
  standAside(); // 100 ms of work and 50, from 900 on
  expect(left).toEqual([]);
});

test('contacts are sealed as they are, however many traces are walked', async () => {
  const startThread = () => startTaskThread({ walks: cell(3), haste: new Haste().word });
  const store = await openSegmentStore(await temporaryFolder(), { startThread });
  addPeople(store, 30);
  const contacts = inTimeOrder(fc.sample(contact(30, 500_000), { seed: 4, numRuns: 200 }));
  const { segment, info } = await store.seal(toSeal(contacts));
  expect(rowsOf(segment)).toEqual(expectedRows(contacts));
  expect(info.lastDay).toBe(Math.max(...contacts.map(({ start }) => Math.floor(start / 86_400))));
  await store.close();
});

const DAY_START = 20_000 * DAY_SECONDS;

/** Of two people who met nobody else. */
const meeting = (k: number): Testimony => ({
  reporter: asTagNumber(1 + 2 * k),
  peer: asTagNumber(2 + 2 * k),
  epoch: asEpoch(96 * 20_000),
  start: DAY_START,
  end: DAY_START + 600,
  bucketSeconds: [600, 0, 0, 0],
  medianAttenuationDb: 40,
  partial: false,
  ledgerIndex: k,
});

test('sealing hurries while additions are about to wait for room, and no longer', async () => {
  let letGo = (): void => undefined;
  const isLetGo = new Promise<void>((resolve) => (letGo = resolve));
  let haste: Int32Array | undefined;
  const startThread = (waiting?: Waiting): TaskThread => {
    haste = waiting?.haste;
    const tasks = inlineTasks(NODE_STORE_DISK)();
    return {
      end: () => tasks.end(),
      run: async (task, onPeople) => (await isLetGo, tasks.run(task, onPeople)),
    };
  };
  const small = { tableRows: 4, leastRows: 1, waitingTables: 1, walksUnderWay: cell(0) };
  const store = await openContactStore(await temporaryFolder(), { log: silentLog, startThread, ...small });
  const seen: (number | undefined)[] = [];
  for (let k = 0; k < 20; k++) {
    store.add([meeting(k)]);
    await breathe();
    seen.push(haste?.[0]);
  }
  expect([...new Set(seen)]).toEqual([undefined, 0, 1]);
  letGo();
  await store.settled();
  expect(haste?.[0]).toBe(0);
  await store.close();
});
