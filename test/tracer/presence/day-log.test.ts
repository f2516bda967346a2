import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, test } from 'vitest';
import { DayLog } from '../../../tracer/presence/day-log.js';

const DAY = 20_000;
const START = DAY * 86_400;
const NAME = 'presence/20000';
/** There is such a day, so that the day is over. */
const LATER = DAY + 2;

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc') as () => void;

test('a late sighting of a day that is over is saved by itself, and not joined with all the others for it', () => {
  const log = new DayLog(DAY);
  for (let k = 0; k < 9000; k++) log.add(k % 3000, k % 5, START + 9 * k, START + 9 * k + 5);
  log.rows();
  const first = log.change(NAME, LATER);
  if (first) log.saved(first);
  for (const late of [1, 2]) {
    log.add(7, 3, START + 1000 * late, START + 1000 * late + 10);
    const change = log.change(NAME, LATER);
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
  const kinds = [DAY, LATER, LATER].map((newest) => {
    see();
    const change = log.change(NAME, newest);
    if (change) log.saved(change);
    return [change?.kind, change?.kind === 'put' && change.bytes.length / 16];
  });
  expect(kinds).toEqual([
    ['append', false],
    ['put', log.rows().length],
    ['put', log.rows().length],
  ]);
});

describe('the memory of a day', () => {
  const RUNS = 2 ** 18;

  /** In array buffers; a second collection waits for what the first lets go. */
  function bytesHeld(): number {
    gc();
    gc();
    return process.memoryUsage().arrayBuffers;
  }

  function bytesOf(make: () => DayLog): { readonly log: DayLog; readonly bytes: number } {
    const before = bytesHeld();
    const log = make();
    return { log, bytes: bytesHeld() - before };
  }

  function saved(log: DayLog): DayLog {
    const change = log.change(NAME, LATER);
    if (change) log.saved(change);
    return log;
  }

  function someRuns(): DayLog {
    const log = new DayLog(DAY);
    for (let person = 0; person < RUNS; person++) log.add(person, 0, START, START + 60);
    log.rows();
    return log;
  }

  it('is little more than its runs once these are joined and saved, however late another comes', () => {
    const { log, bytes } = bytesOf(() => saved(someRuns()));
    expect(log.size).toBe(RUNS);
    expect(bytes / RUNS).toBeLessThan(30);
    const late = bytesOf(() => {
      log.add(7, 1, START, START + 60);
      return saved(log);
    });
    expect(log.pending).toBe(1);
    expect((bytes + late.bytes) / RUNS).toBeLessThan(30);
  });

  it('is as little when it is taken up again', () => {
    const change = someRuns().change(NAME, LATER);
    const kept = change?.kind === 'append' ? change.bytes : new Uint8Array();
    const { log, bytes } = bytesOf(() => {
      const again = new DayLog(DAY);
      again.restore(kept);
      again.rows();
      return again;
    });
    expect(log.size).toBe(RUNS);
    expect(bytes / RUNS).toBeLessThan(30);
  });
});
