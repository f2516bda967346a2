import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openSegmentStore } from '../../../tracer/contacts/segment-store.js';
import { standAsideFor } from '../../../tracer/contacts/stand-aside.js';
import { addPeople, contact, expectedRows, inTimeOrder, rowsOf, temporaryFolder, toSeal } from './stage.js';

const cell = (walks: number): Int32Array => new Int32Array(new SharedArrayBuffer(4)).fill(walks);

/** Shows these times, one after the other, and then no more. */
function clockOf(...times: readonly number[]) {
  const left = [...times];
  return { left, now: () => left.shift() ?? expect.unreachable('the clock was read too often') };
}

test('nobody is waited for while no trace is walked', () => {
  const { now } = clockOf(0);
  const standAside = standAsideFor(cell(0), now);
  for (let k = 0; k < 1000; k++) standAside();
});

test('work waits for traces no longer than it has worked, and 50 ms', () => {
  const { now, left } = clockOf(0, 100, 100, 249, 250, 250, /* next */ 250, 250, 250);
  const standAside = standAsideFor(cell(1), now);
  standAside(); // 100 ms of work and 50: until 250
  expect(left).toEqual([250, 250, 250]);
  standAside(); // 100 ms of work, 150 of waiting: not at all
  expect(left).toEqual([]);
});

test('contacts are sealed as they are, however many traces are walked', async () => {
  const store = await openSegmentStore(await temporaryFolder(), { walksUnderWay: cell(3) });
  addPeople(store, 30);
  const contacts = inTimeOrder(fc.sample(contact(30, 500_000), { seed: 4, numRuns: 200 }));
  const { segment, info } = await store.seal(toSeal(contacts));
  expect(rowsOf(segment)).toEqual(expectedRows(contacts));
  expect(info.lastDay).toBe(Math.max(...contacts.map(({ start }) => Math.floor(start / 86_400))));
  await store.close();
});
