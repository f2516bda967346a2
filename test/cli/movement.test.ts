import { describe, expect, it } from 'vitest';
import { parseMovement } from '../../cli/air/movement.js';

const SCRIPT = `
# two tags meet at 100 and part at 200
100 1 0 0
100 2 0.5 -1
200 2 60 0
50 hub-1 0 5
`;

describe('a movement', () => {
  it('puts a name where its last line up to a time says', () => {
    const { placeOf } = parseMovement(SCRIPT);
    expect(placeOf('2', 100_000)).toMatchObject({ x: 0.5, y: -1 });
    expect(placeOf('2', 199_999)).toMatchObject({ x: 0.5, y: -1 });
    expect(placeOf('2', 200_000)).toMatchObject({ x: 60, y: 0 });
    expect(placeOf('hub-1', 1e12)).toMatchObject({ x: 0, y: 5 });
  });

  it('knows no place of a name that is not there yet, or not in it', () => {
    const { placeOf } = parseMovement(SCRIPT);
    expect(placeOf('1', 99_999)).toBeUndefined();
    expect(placeOf('3', 100_000)).toBeUndefined();
  });

  it.each([
    '100 1 0',
    '100 1 0 0 0',
    'now 1 0 0',
    '100 Tag 0 0',
    '100 1 x 0',
    '2026-02-30 1 0 0',
    '20260302 1 0 0',
  ])('refuses the line “%s”, with its number', (line) => {
    expect(() => parseMovement(`# first\n${line}`)).toThrow(/line 2 of the movement/);
  });

  it('refuses a name that goes back in time', () => {
    expect(() => parseMovement('200 1 0 0\n100 1 1 1')).toThrow(
      'line 2 of the movement: 1 goes back in time',
    );
  });
});
