import { describe, expect, test } from 'vitest';
import {
  joinDayKeyStatements,
  joinRevocations,
  splitDayKeyStatements,
  splitRevocations,
} from '../../protocol/mqtt/authority-topics.js';
import { codeOf } from './errors-of.js';

const topics = [
  {
    what: 'day-key statements',
    length: 105,
    max: 366,
    join: joinDayKeyStatements,
    split: splitDayKeyStatements,
  },
  { what: 'revocations', length: 93, max: 4096, join: joinRevocations, split: splitRevocations },
];

describe.each(topics)('a retained topic of $what', ({ length, max, join, split }) => {
  const records = (count: number) => Array.from({ length: count }, (_, i) => new Uint8Array(length).fill(i));

  test('holds them in a row, none to the most there may be', () => {
    for (const count of [0, 1, 2, max]) {
      const payload = join(records(count));
      expect(payload).toHaveLength(count * length);
      expect(split(payload)).toEqual(records(count));
    }
  });

  test('is refused with a part of one, or with too many', () => {
    expect(codeOf(() => split(new Uint8Array(length + 1)))).toBe('format');
    expect(codeOf(() => split(new Uint8Array(length - 1)))).toBe('format');
    expect(codeOf(() => split(new Uint8Array((max + 1) * length)))).toBe('size');
    expect(codeOf(() => join(records(max + 1)))).toBe('size');
    expect(codeOf(() => join([new Uint8Array(length - 1)]))).toBe('format');
  });

  test('hands out copies', () => {
    const payload = join(records(2));
    const [, second] = split(payload);
    payload.fill(9);
    expect(second).toEqual(records(2)[1]);
  });
});
