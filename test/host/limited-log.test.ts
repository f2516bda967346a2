/** Lines that strangers cause are bounded, and none is left out without being counted. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LimitedLog } from '../../host/limited-log.js';
import type { LogFields } from '../../protocol/log.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const HOUR_MS = 3_600_000;

function listened() {
  const said: (readonly [string, string, LogFields | undefined])[] = [];
  const sayer = (level: string) => (message: string, fields?: LogFields) =>
    void said.push([level, message, fields]);
  const log = new LimitedLog({ info: sayer('info'), warn: sayer('warn'), error: sayer('error') });
  return { log, said };
}

test('writes the first eight of a kind and then each time twice as many, with how many were left out', () => {
  const { log, said } = listened();
  for (let i = 1; i <= 100; i++) log.warn('refused', { i });
  expect(said.map(([, , fields]) => fields)).toEqual([
    ...Array.from({ length: 8 }, (_, i) => ({ i: i + 1 })),
    { i: 16, leftOut: 7 },
    { i: 32, leftOut: 15 },
    { i: 64, leftOut: 31 },
  ]);
});

test('keeps kinds apart: no line is left out for lines of another message, level or reason', () => {
  const { log, said } = listened();
  for (let i = 0; i < 1000; i++) log.warn('refused');
  log.error('refused');
  log.warn('a disk failed', { why: 'full' });
  log.warn('refused', { why: 'another reason' });
  log.info('refused');
  expect(said.slice(-4)).toEqual([
    ['error', 'refused', undefined],
    ['warn', 'a disk failed', { why: 'full' }],
    ['warn', 'refused', { why: 'another reason' }],
    ['info', 'refused', undefined],
  ]);
});

test('is not talked into more lines by reasons that are always new, and does not miss another message for them', () => {
  const { log, said } = listened();
  for (let i = 0; i < 1000; i++) log.warn('refused', { why: `reason ${i}` });
  expect(said).toHaveLength(32 + 8 + 6);
  log.error('a disk failed', { why: 'full' });
  expect(said.at(-1)).toEqual(['error', 'a disk failed', { why: 'full' }]);
  log.close();
  expect(said.at(-1)).toEqual(['warn', 'lines were left out', { of: 'refused', leftOut: 968 - 512 }]);
  expect(vi.getTimerCount()).toBe(0);
});

test('says at the end of the hour how many it left out since it spoke, and begins anew', () => {
  const { log, said } = listened();
  for (let i = 0; i < 12; i++) log.error('damaged', { why: 'tile 0', i });
  vi.advanceTimersByTime(HOUR_MS - 1);
  expect(said).toHaveLength(8);
  vi.advanceTimersByTime(1);
  expect(said.slice(8)).toEqual([
    ['error', 'lines were left out', { of: 'damaged', why: 'tile 0', leftOut: 4 }],
  ]);
  log.error('damaged', { why: 'tile 0', i: 12 });
  expect(said.at(-1)).toEqual(['error', 'damaged', { why: 'tile 0', i: 12 }]);
  log.close();
  expect(said).toHaveLength(10);
});

test('says when it is closed how many it left out, once, and leaves no timer behind', () => {
  const { log, said } = listened();
  for (let i = 0; i < 20; i++) log.warn('refused');
  log.info('quiet');
  log.close();
  log.close();
  expect(said.slice(-1)).toEqual([['warn', 'lines were left out', { of: 'refused', leftOut: 4 }]]);
  expect(said).toHaveLength(11);
  expect(vi.getTimerCount()).toBe(0);
});
