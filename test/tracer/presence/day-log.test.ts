import { expect, test } from 'vitest';
import { DayLog } from '../../../tracer/presence/day-log.js';

const DAY = 20_000;
const START = DAY * 86_400;
const NAME = 'presence/20000';

test('a late sighting of a day that is over is saved by itself, and not joined with all the others for it', () => {
  const log = new DayLog(DAY);
  for (let k = 0; k < 9000; k++) log.add(k % 3000, k % 5, START + 9 * k, START + 9 * k + 5);
  log.rows();
  const first = log.change(NAME, true);
  if (first) log.saved(first);
  for (const late of [1, 2]) {
    log.add(7, 3, START + 1000 * late, START + 1000 * late + 10);
    const change = log.change(NAME, true);
    expect(change).toMatchObject({ kind: 'append', name: NAME });
    expect(log.pending).toBe(late);
    if (change) log.saved(change);
  }
});

test('a day that is over is saved as its runs once these are much less than what came', () => {
  const log = new DayLog(DAY);
  const see = (): void => {
    for (let k = 0; k < 3000; k++) log.add(k % 3, 1, START + 9 * k, START + 9 * k + 9);
  };
  const kinds = [false, true, true].map((isOver) => {
    see();
    const change = log.change(NAME, isOver);
    if (change) log.saved(change);
    return [change?.kind, change?.kind === 'put' && change.bytes.length / 16];
  });
  expect(kinds).toEqual([
    ['append', false],
    ['put', log.rows().length],
    ['put', log.rows().length],
  ]);
});
