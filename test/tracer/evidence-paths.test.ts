/** The rules of a path in a bundle, on contacts made up for each of them. */
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import type { ContactStep } from '../../protocol/evidence/bundle.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Contact } from '../../tracer/contact.js';
import { openRow, requireRows } from '../../tracer/evidence/paths.js';
import type { WalkTerms } from '../../tracer/evidence/paths.js';
import { transmissionWeight } from '../../tracer/looks/score.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';

const DAY = 86_400;

function contact(a: number, b: number, start: number, near = 900): Contact {
  return {
    ...{ a: asTagNumber(a), b: asTagNumber(b), epoch: asEpoch(Math.floor(start / 900)) },
    ...{ start, end: start + 900, bucketSeconds: [near, 0, 0, 0], attenuationDb: 50 },
    ...{ mutual: true, partial: false, ledger: [1] },
  };
}

const request: TraceRequest = {
  ...{ case: '1', direction: 'forward', hops: 3, from: 10_000, to: 10_000 + 7 * DAY },
  ...{ minSeconds: 900, latentSeconds: 1_000, infectiousSeconds: 5_000 },
};
const terms = (changes: Partial<TraceRequest> = {}): WalkTerms => {
  const asked = { ...request, ...changes };
  const { direction } = asked;
  if (direction === 'both') throw new Error('a walk goes one way');
  return { direction, request: asked, starts: new Set(['1']) };
};
const steps = (...places: readonly number[]): ContactStep[] =>
  places.map((place) => ({ contact: place, supports: [] }));

/** What it shows, or why it is refused. */
function shown(
  person: number,
  path: readonly ContactStep[],
  contacts: readonly Contact[],
  walk = terms(),
  earliestAt = NaN,
) {
  const last = (walk.direction === 'forward' ? contacts[path.at(-1)?.contact ?? 0]?.end : contacts[path[0]?.contact ?? 0]?.start) ?? 0; // prettier-ignore
  const at = Number.isNaN(earliestAt) ? last : earliestAt;
  try {
    const row = openRow(
      { person: asTagNumber(person), earliestAt: at, score: 0.5, steps: path },
      { contacts, copresences: [] },
      walk,
    );
    return row.path.map(({ from, to }) => `${from}>${to}`).join(' ') + ` at ${row.exposedAt}`;
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'evidence') return error.message;
    throw error;
  }
}

describe('a forward path', () => {
  // Exposed at 10,900; passes it on from 11,900 to 16,900.
  const first = contact(1, 2, 10_000);

  it.each([
    [11_899, 'comes before the person could pass it on'],
    [11_900, '1>2 2>3 at 12800'],
    [16_900, '1>2 2>3 at 17800'],
    [16_901, 'comes after the infectious period'],
  ])('goes on at %i', (start, words) => {
    expect(shown(3, steps(0, 1), [first, contact(2, 3, start)])).toContain(words);
  });

  it.each([
    [{ from: 10_001 }, 'step 0 comes before'],
    [{ from: 5_000 }, '1>2 at 10900'],
    [{ from: 4_999 }, 'step 0 comes after the infectious period'],
    [{ to: 10_900 }, '1>2 at 10900'],
    [{ to: 10_899 }, 'outside the window'],
  ])('keeps the window %o', (changes, words) => {
    expect(shown(2, steps(0), [first], terms(changes))).toContain(words);
  });

  it('has the hops that were asked for, and leads from the case, and not back to it', () => {
    const far = [first, contact(2, 3, 12_000), contact(1, 3, 14_000), contact(1, 4, 16_000)];
    expect(shown(3, steps(0, 1), far, terms({ hops: 1 }))).toContain('a path of 2 steps');
    expect(shown(3, steps(1), far)).toContain('does not lead from the case');
    expect(shown(4, steps(0, 1, 2, 3), far, terms({ hops: 4 }))).toContain('comes back to where it began');
    expect(shown(4, steps(0), far)).toContain('do not follow from one person to the next');
    expect(shown(3, steps(2), far, terms({ from: 13_000 }))).toBe('1>3 at 14900');
  });

  it('was not walked sooner than it can be', () => {
    expect(shown(2, steps(0), [first], terms(), 10_901)).toContain('a time that its path rules out');
    expect(shown(2, steps(0), [first], terms(), 9_999)).toContain('a time that its path rules out');
    expect(shown(2, steps(0), [first], terms(), 10_000)).toBe('1>2 at 10900');
  });
});

describe('a backward path', () => {
  const backward = (changes: Partial<TraceRequest> = {}) =>
    terms({ direction: 'backward', to: 100_000, ...changes });
  // Exposed the case at 98,000 at the latest; was exposed itself from 92,000 to 97,000.
  const last = contact(1, 2, 98_000);

  it.each([
    [91_099, 'comes after the infectious period'],
    [91_100, '3>2 2>1 at 91100'],
    [96_100, '3>2 2>1 at 96100'],
    [96_101, 'comes before the person could pass it on'],
  ])('goes back at %i', (start, words) => {
    expect(shown(3, steps(1, 0), [last, contact(2, 3, start)], backward())).toContain(words);
  });

  it.each([
    [{ to: 98_899 }, 'comes before'],
    [{ to: 98_900 }, '2>1 at 98000'],
    [{ to: 103_900 }, '2>1 at 98000'],
    [{ to: 103_901 }, 'comes after'],
    [{ from: 98_000 }, '2>1 at 98000'],
    [{ from: 98_001 }, 'outside the window'],
  ])('keeps the window %o', (changes, words) => {
    expect(shown(2, steps(0), [last], backward(changes))).toContain(words);
  });

  it('leads to the case, and was not walked later than it can be', () => {
    expect(shown(2, steps(1, 0), [last, contact(2, 3, 96_000)], backward())).toContain('do not follow');
    expect(shown(2, steps(0), [last], backward(), 97_999)).toContain('rules out');
    expect(shown(2, steps(0), [last], backward(), 100_001)).toContain('rules out');
  });
});

describe('a close contact', () => {
  const at = 10_000 + 2 * DAY;
  const contacts = [
    contact(1, 2, at, 400),
    contact(1, 2, at - DAY + 1, 500),
    contact(1, 2, at - DAY, 500),
    contact(1, 3, at - 1_000, 500),
    contact(1, 2, at + 1, 500),
    contact(1, 2, at - 2_000, 100),
  ];
  const walk = terms({ infectiousSeconds: 7 * DAY });
  it.each([
    [[], 'only 400 s near within 24 hours, and 900 s were asked'],
    [[1], '1>2 at'],
    [[2], 'not of the 24 hours up to its end'],
    [[3], 'of other people'],
    [[4], 'not of the 24 hours up to its end'],
    [[0, 1], 'out of order'],
    [[5, 1], 'out of order'],
    [[1, 1], 'out of order'],
    [[1, 5], 'more contacts than it takes'],
    [[9], 'contact 9, which is not there'],
  ])('with the help of %o', (supports, words) => {
    expect(shown(2, [{ contact: 0, supports }], contacts, walk)).toContain(words);
  });
});

describe('a list of people', () => {
  const contacts = [contact(1, 2, 10_000), contact(2, 3, 12_000)];
  const rows = [2, 3].map(
    (person, k) =>
    openRow({ person: asTagNumber(person), earliestAt: 10_900, score: 0.5, steps: steps(0, 1).slice(0, k + 1) }, { contacts, copresences: [] }, terms()), // prettier-ignore
  );
  const withScores = (...scores: readonly number[]) =>
    rows.map((row, k) => ({ ...row, score: scores[k] ?? 0 }));

  it('has scores that are no less than the last step of each path gives', () => {
    const [first, second] = contacts.map(transmissionWeight);
    if (first === undefined || second === undefined) throw new Error('two contacts');
    expect(() => requireRows(withScores(first, first * second), terms())).not.toThrow();
    expect(() => requireRows(withScores(first - 1e-6, 1), terms())).toThrow('score of person 0');
    expect(() => requireRows(withScores(0.9, 0.9 * second - 1e-6), terms())).toThrow('score of person 1');
    expect(() => requireRows(withScores(1, second).slice(1), terms())).not.toThrow();
  });

  it('is in order, and has nobody twice', () => {
    expect(() => requireRows(rows.toReversed(), terms())).toThrow('person 1 is out of order');
    expect(() => requireRows([...rows, ...rows], terms())).toThrow('listed twice');
  });
});
