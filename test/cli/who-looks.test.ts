/** What is said beside the answer of a look: as what it was recorded, and why there is nothing in its window. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { beyondAllKnown } from '../../cli/terminal/trace-options.js';
import { lookOf, recordedLines } from '../../cli/terminal/who-looks.js';
import type { LookOptions } from '../../cli/terminal/who-looks.js';

const said = (options: LookOptions): string[] =>
  recordedLines(7, lookOf(options), options).map((line) => stripVTControlCharacters(line));

describe('a look', () => {
  it('is in the name of whoever is named, and for what they say', () => {
    const given = { officer: 'Dr. Ada', purpose: 'ward 4' };
    expect(said(given)).toEqual(['recorded as ledger entry 7: Dr. Ada, ward 4', '']);
  });

  it('asks for a name and a purpose where it was given none', () => {
    const [recorded, hint] = said({});
    expect(recorded).toMatch(/^recorded as ledger entry 7: \S.*, outbreak investigation$/);
    expect(hint).toBe(
      'say who looks with --officer and why with --purpose: those whom a look reached are shown it',
    );
    expect(said({ officer: 'Dr. Ada' })[1]).toMatch(/^say why with --purpose:/);
  });
});

describe('a window that was left open', () => {
  it.each([
    [{ from: 200 }, { from: 200, to: 200 }, 'ended after --from'],
    [{ from: 200 }, { from: 200, to: 199 }, 'ended after --from'],
    [{ to: 100 }, { from: 100, to: 100 }, 'began before --to'],
  ])('at the end where nothing is known any more is said to be so', (asked, answered, words) => {
    expect(beyondAllKnown(asked, answered)).toContain(`nothing is known that ${words}`);
  });

  it.each([
    [{}, { from: 100, to: 100 }],
    [{ from: 100 }, { from: 100, to: 101 }],
    [
      { from: 100, to: 100 },
      { from: 100, to: 100 },
    ],
  ])('is not, where something may be in it', (asked, answered) => {
    expect(beyondAllKnown(asked, answered)).toBeUndefined();
  });
});
