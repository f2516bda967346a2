import { describe, expect, it } from 'vitest';
import { decodeEntry } from '../../protocol/entry.js';
import type { LoggedEntry } from '../../tracer/payloads.js';
import { WaitingReports } from '../../tracer/waiting-reports.js';
import { MemoryLog } from './memory-log.js';

const entries: readonly LoggedEntry[] = new MemoryLog()
  .fill(9)
  .entries.map((bytes, index) => ({ ...decodeEntry(bytes), index }));
const at = (index: number): LoggedEntry => entries[index] ?? Object.assign({ index }, entries[0]);

describe('waiting reports', () => {
  it('drops those of the oldest day first when there are too many, and says which', () => {
    const lost: number[] = [];
    const waiting = new WaitingReports(({ index }) => lost.push(index), 3);
    [5, 4, 5, 6].forEach((day, index) => waiting.add(at(index), day));
    expect(lost).toEqual([1]);
    waiting.add(at(4), 6);
    expect(lost).toEqual([1, 0, 2]);
    expect(waiting.size).toBe(2);
  });

  it('gives those of a day with keys, a part at a time, and forgets them only when done', () => {
    const waiting = new WaitingReports(() => {});
    [5, 6, 6, 6].forEach((day, index) => waiting.add(at(index), day));
    const hasKeys = (day: number): boolean => day === 6;
    expect(waiting.ready(hasKeys, 2).entries.map(({ index }) => index)).toEqual([1, 2]);
    const first = waiting.ready(hasKeys, 2);
    expect(first.entries).toHaveLength(2);
    first.done();
    const rest = waiting.ready(hasKeys, 2);
    expect(rest.entries.map(({ index }) => index)).toEqual([3]);
    rest.done();
    expect(waiting.ready(hasKeys, 2).entries).toEqual([]);
    expect(waiting.size).toBe(1);
  });

  it('forgets the days before a day', () => {
    const lost: number[] = [];
    const waiting = new WaitingReports(({ index }) => lost.push(index));
    [4, 5, 6].forEach((day, index) => waiting.add(at(index), day));
    waiting.forgetBefore(6);
    expect(lost).toEqual([0, 1]);
    expect(waiting.size).toBe(1);
  });
});
