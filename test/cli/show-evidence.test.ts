/** What checked evidence shows, in words: of each way what was asked, and what its times are. */
import { stripVTControlCharacters } from 'node:util';
import { expect, it } from 'vitest';
import { evidenceLines } from '../../cli/present/show-evidence.js';
import type { Direction } from '../../tracer/looks/trace-result.js';
import { check, evidenceOf, recordingTracer, ward } from '../tracer/evidence-stage.js';

async function shown(direction: Direction): Promise<string> {
  const tracer = await recordingTracer(ward());
  const { evidence } = await evidenceOf(tracer, { case: '3', hops: 1, direction });
  const lines = evidenceLines(check(evidence), { isIssuerGiven: false, others: [], cosigned: new Map() });
  return stripVTControlCharacters(lines.join('\n'));
}

it.each([
  ['forward', 'whom it may have infected', [['4', 'exposure']]],
  ['backward', 'possible sources', [['2', 'last exposure']]],
  ['both', 'possible sources, and whom else they may have infected', [['2', 'last exposure'], ['1', 'exposure']]], // prettier-ignore
] as const)(
  'evidence of a trace %s says what was asked, and of each person which exposure',
  async (direction, words, people) => {
    const text = await shown(direction);
    expect(text).toContain(`  question  case 3: ${words}, within 1 hop, `);
    for (const [person, exposure] of people)
      expect(text).toMatch(new RegExp(`^ {2}${person} {2}hop \\d(, from \\d)?, ${exposure} 20`, 'm'));
  },
);
