/** Times as they are typed: one that does not exist is refused, and moved to no other. */
import { describe, expect, it } from 'vitest';
import { isDate, parseTime } from '../../cli/terminal/times.js';

describe('a time', () => {
  it.each([
    ['1772440200', 1_772_440_200],
    ['0', 0],
    ['2026-03-02T08:30Z', 1_772_440_200],
    ['2026-03-02 08:30Z', 1_772_440_200],
    ['2026-03-02T09:30:00+01:00', 1_772_440_200],
    ['2024-02-29T00:00Z', 1_709_164_800],
    ['2024-02-29', new Date(2024, 1, 29).getTime() / 1000],
    ['2026-12-31T23:59', new Date(2026, 11, 31, 23, 59).getTime() / 1000],
    ['2100000', 2_100_000],
    ['202603021', 202_603_021],
  ])('is read from “%s”', (text, seconds) => {
    expect(parseTime(text, '--from')).toBe(seconds);
  });

  it.each([
    ...['2026-02-30', '2026-02-29', '2026-04-31T08:00', '2026-02-30 08:00:00Z', '2026-02-31T23:00-05:00'],
    ...['2026-13-01', '2026-00-10', '2026-03-00', '2026-03-02T25:00', '2026-3-2', 'yesterday', '-1', ''],
  ])('is not “%s”', (text) => {
    expect(() => parseTime(text, '--from')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: `--from must be unix seconds or an ISO date such as 2026-03-02 or 2026-03-02T08:30, not “${text}”`,
      }),
    );
  });

  it.each([
    ['20260302', '2026-03-02'],
    ['19991231', '1999-12-31'],
    ['20260230', '2026-03-02'],
  ])('of 1970 is not %s: that is a day without its dashes', (text, written) => {
    expect(() => parseTime(text, '--to')).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(`write ${written}`) as unknown,
      }),
    );
  });
});

it('a date is one of the calendar, in one spelling', () => {
  expect(['2026-03-02', '2024-02-29', '0001-01-01'].filter(isDate)).toHaveLength(3);
  const none = ['2026-02-29', '2026-02-30', '2100-02-29', '2026-13-01', '2026-3-2', '20260302', '', 'x'];
  expect([...none, '2026-03-02T08:00', ' 2026-03-02', '+002026-03-02'].filter(isDate)).toEqual([]);
});
