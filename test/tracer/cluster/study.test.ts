/** The quick version of `npm run bench -- clusters`. */
import { describe, expect, it } from 'vitest';
import { schoolContacts } from './school.js';
import { diseaseFor, studySources } from './study.js';

describe('on simulated outbreaks at a school, whose tree is known', () => {
  it('finds the hidden source more often than counting whom the cases met does', async () => {
    const contacts = schoolContacts(3, { classes: 4, pupils: 12, days: 4 });
    const world = { name: 'a small school', contacts, disease: diseaseFor(contacts) };
    const results = await Promise.all(
      [0.3, 0.6].map((knownShare) =>
        studySources(world, { seed: 'a test', outbreaks: 30, knownShare, hops: 3 }),
      ),
    );
    const sum = (hits: (result: (typeof results)[number]) => number): number =>
      results.reduce((total, result) => total + hits(result), 0);
    for (const baseline of ['counting', 'countingBeforeOnset'] as const) {
      expect(sum(({ method }) => method.first)).toBeGreaterThan(sum((result) => result[baseline].first));
      expect(sum(({ method }) => method.firstFive)).toBeGreaterThan(
        1.2 * sum((result) => result[baseline].firstFive),
      );
    }
    expect(sum(({ rightInfector }) => rightInfector)).toBeGreaterThan(0.5);
  });
});
