/** Clusters where people are infectious for a period only (clusters.md, "What is walked"). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PersonSource } from '../../../tracer/cluster/cluster-result.js';
import { referenceTrace } from '../../reference/brute-force.js';
import { drawnCases, drawnContacts, END } from './drawn.js';
import { ask, at, cases, HOUR, met, named } from './stage.js';

const DAY = 24 * HOUR;
const TWENTY_DAYS = { to: at(480), infectiousSeconds: 5 * DAY };

describe('with an infectious period', () => {
  it.each([
    ['no onset is known', cases(1, 2)],
    [
      'they fell ill a week later',
      [
        { tag: '1', onset: at(10 + 7 * 24) },
        { tag: '2', onset: at(10 + 8 * 24) },
      ],
    ],
  ])('finds who infected cases longer ago than that period, where %s', async (_when, ill) => {
    const { sources, unreached } = await ask([met(9, 1, 10), met(9, 2, 12)], ill, {
      ...TWENTY_DAYS,
      hops: 1,
    });
    expect(named(sources)).toEqual(['9']);
    expect(unreached).toEqual([]);
  });

  it('looks back over one such period from an onset, and further where nobody is found in it', async () => {
    const recent = [met(8, 1, 200), met(8, 2, 201)];
    const contacts = [met(9, 1, 10), met(9, 2, 12), ...recent];
    const sourcesOf = async (hours: readonly (number | undefined)[]) => {
      const ill = hours.map((hour, k) => ({
        tag: String(k + 1),
        ...(hour !== undefined && { onset: at(hour) }),
      }));
      const { sources } = await ask(contacts, ill, { ...TWENTY_DAYS, hops: 1 });
      return named(sources).sort();
    };
    expect(await sourcesOf([210, 210])).toEqual(['8']);
    expect(await sourcesOf([210, 13])).toEqual([]); // 1 by 8, 2 by 9
    expect(await sourcesOf([190, 190])).toEqual(['9']);
    expect(await sourcesOf([undefined, undefined])).toEqual(['8', '9']);
  });

  it('takes nobody for the source of cases that no one period covers', async () => {
    const ill = [
      { tag: '1', onset: at(30) },
      { tag: '2', onset: at(420) },
    ];
    const contacts = [met(9, 1, 10), met(9, 2, 400)];
    const short = await ask(contacts, ill, { to: at(480), infectiousSeconds: 2 * DAY });
    expect(short.sources).toEqual([]);
    expect(short.sourceCount).toBe(0);
    expect(short.unreached).toEqual([]);
    expect(short.tree.roots).toEqual(['1', '2']);
    const long = await ask(contacts, ill, { to: at(480), infectiousSeconds: 17 * DAY, hops: 1 });
    expect(named(long.sources)).toEqual(['9']);
    expect(long.tree.edges).toHaveLength(2);
  });

  it('weighs a source by the period that explains the cases best, and leaves out those beyond it', async () => {
    const contacts = [met(9, 1, 10), met(9, 2, 300), met(9, 3, 310), met(9, 4, 12)];
    const { sources, tree } = await ask(contacts, cases(1, 2, 3), { ...TWENTY_DAYS, hops: 1 });
    const [first] = sources as readonly PersonSource[];
    expect(first?.explains.map((one) => one.case)).toEqual(['2', '3']);
    expect(first).toMatchObject({ person: '9', infectiousBy: at(300), othersReached: 0 });
    expect(tree.edges.map(({ to }) => to)).toEqual(['2', '3']);
  });

  it('explains a case by an earlier meeting, where the last one is past the period of the others', async () => {
    const contacts = [met(9, 1, 10), met(9, 2, 11, 40), met(9, 2, 400)];
    const { sources } = await ask(contacts, cases(1, 2), { ...TWENTY_DAYS, hops: 1 });
    expect(sources).toMatchObject([
      {
        ...{ person: '9', infectiousBy: at(10) },
        explains: [
          { case: '1', hop: 1, passedOnBy: at(10) },
          { case: '2', hop: 1, passedOnBy: at(11), path: [{ from: '9', to: '2', start: at(11) }] },
        ],
      },
    ]);
  });

  it('passes on within the period, where a longer way leads to the case from before it', async () => {
    const contacts = [
      met(9, 5, 10),
      met(5, 6, 31),
      met(6, 1, 52),
      met(9, 1, 35),
      met(9, 2, 31),
      met(9, 3, 32),
    ];
    const ill = [
      { tag: '1', onset: at(72) },
      { tag: '2', onset: at(33) },
      { tag: '3', onset: at(34) },
    ];
    const { sources } = await ask(contacts, ill, { infectiousSeconds: 20 * HOUR });
    const passedOn = [
      { case: '1', passedOnBy: at(35), path: [{ from: '9', to: '1', start: at(35) }] },
      { case: '2', passedOnBy: at(31) },
      { case: '3', passedOnBy: at(32) },
    ];
    expect(sources).toMatchObject([{ person: '9', infectiousBy: at(31), explains: passedOn }]);
  });

  it('explains a case by no meeting after it fell ill, in whatever period', async () => {
    const ill = [{ tag: '1' }, { tag: '2', onset: at(10) }];
    const contacts = [met(9, 1, 20), met(9, 2, 2), met(9, 2, 22)];
    const { sources } = await ask(contacts, ill, { ...TWENTY_DAYS, infectiousSeconds: 6 * HOUR, hops: 1 });
    expect(sources).toEqual([]);
  });

  it('a source reaches each case it explains from infectiousBy on, in its period and by when that was infected', async () => {
    const drawn = [drawnContacts, drawnCases, fc.constantFrom(0, 4 * HOUR, 20 * HOUR)] as const;
    let explained = 0;
    await fc.assert(
      fc.asyncProperty(...drawn, async (contacts, ill, infectiousSeconds) => {
        const settings = { hops: 3, from: 0, to: END, minSeconds: 0, latentSeconds: HOUR, infectiousSeconds };
        const { sources } = await ask(contacts, ill, settings);
        for (const { person, infectiousBy, explains } of sources as readonly PersonSource[])
          for (const { case: tag, passedOnBy } of explains) {
            expect(passedOnBy).toBeGreaterThanOrEqual(infectiousBy);
            expect(passedOnBy).toBeLessThanOrEqual(infectiousBy + infectiousSeconds);
            const to = ill.find((one) => one.tag === tag)?.onset ?? END;
            const ahead = {
              ...settings,
              case: person,
              direction: 'forward',
              from: infectiousBy,
              to,
            } as const;
            const { reached } = referenceTrace(contacts, ahead);
            expect(reached.map((row) => String(row.person))).toContain(tag);
            explained += 1;
          }
      }),
      { numRuns: 400 },
    );
    expect(explained).toBeGreaterThan(100);
  });
});
