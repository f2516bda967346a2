import { describe, expect, it } from 'vitest';
import { asTagNumber } from '../../../protocol/brands.js';
import { toHex } from '../../../protocol/bytes.js';
import type { ClusterSource } from '../../../tracer/cluster/cluster-result.js';
import { findClusters, tagsInCluster } from '../../../tracer/cluster/find-clusters.js';
import type { ClusterPresence } from '../../../tracer/cluster/gateway-sources.js';
import { trace } from '../../../tracer/looks/trace.js';
import type { WalkRequest } from '../../../tracer/looks/trace-result.js';
import { plainView } from '../../reference/views.js';
import { PresenceBook } from '../../../tracer/presence/presence-book.js';
import { ask, at, cases, END, HOUR, met, named, START } from './stage.js';

describe('common sources', () => {
  const both = [1, 2, 3].flatMap((tag) => [met(8, tag, 10 + tag), met(9, tag, 20 + tag)]);

  it('ranks whoever met the cases alone before one who met everybody', async () => {
    const crowd = Array.from({ length: 30 }, (_, n) => met(8, 100 + n, 15));
    const { sources, sourceCount } = await ask([...both, ...crowd], cases(1, 2, 3));
    expect(named(sources).slice(0, 1)).toEqual(['9']);
    const [first, second] = [9, 8].map((tag) => sources.find((one) => named([one])[0] === String(tag)));
    expect(first?.score).toBeGreaterThan(2 * (second?.score ?? 1));
    expect(second?.othersReached).toBe(31);
    expect(sourceCount).toBe(sources.length);
    expect(sources.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 9);
  });

  const crowdsWith = (sources: readonly number[]) =>
    sources.flatMap((source, n) => [
      ...[met(source, 1, 10, 40), met(source, 2, 12, 40)],
      ...Array.from({ length: 12 }, (_, m) => met(source, 1000 + 12 * n + m, 14, 40)),
    ]);
  const forty = Array.from({ length: 40 }, (_, n) => 100 + n);

  it('weighs more people than it lists, so that one who was with the cases for less comes first', async () => {
    const quiet = [met(9000, 1, 16, 35), met(9000, 2, 18, 35)];
    const { sources, sourceCount } = await ask([...crowdsWith(forty), ...quiet], cases(1, 2), { hops: 1 });
    expect(named(sources).slice(0, 1)).toEqual(['9000']);
    expect([sources.length, sourceCount]).toEqual([20, 41]);
  });

  it('weighs no more than it can list where each would have reached a city', async () => {
    const { view, options } = plainView(crowdsWith(forty));
    const asked: string[] = [];
    const city = async (request: WalkRequest) => {
      if (request.direction === 'forward') asked.push(request.case);
      const { reached } = trace(view, request, options);
      return { reached, reachedCount: 1_000_000 };
    };
    const request = { cases: cases(1, 2), hops: 1, from: START, to: END, minSeconds: 900, latentSeconds: 0 };
    const { sourceCount } = await findClusters(city, undefined, request);
    expect(asked).toHaveLength(32);
    expect(sourceCount).toBe(40);
  });

  it('says of each case how it may have been infected', async () => {
    const { sources } = await ask([met(9, 1, 10), met(9, 5, 10), met(5, 2, 30)], cases(1, 2));
    expect(sources[0]).toMatchObject({
      ...{ kind: 'person', person: '9', isCase: false, infectiousBy: at(10), othersReached: 1 },
      explains: [
        { case: '1', hop: 1, passedOnBy: at(10), path: [{ from: '9', to: '1', ledger: [10] }] },
        {
          case: '2',
          hop: 2,
          passedOnBy: at(10),
          path: [
            { from: '9', to: '5' },
            { from: '5', to: '2' },
          ],
        },
      ],
    });
  });

  it('leaves out who met a case only after it fell ill, and the incubation before that', async () => {
    const ill = [
      { tag: '1', onset: at(40) },
      { tag: '2', onset: at(40) },
    ];
    const contacts = [
      met(9, 1, 10),
      met(9, 2, 12),
      met(8, 1, 10),
      met(8, 2, 50),
      met(7, 1, 10),
      met(7, 2, 35),
    ];
    expect(named((await ask(contacts, ill, { hops: 1 })).sources)).toEqual(['7', '9']);
    expect(named((await ask(contacts, ill, { hops: 1, incubationSeconds: 10 * HOUR })).sources)).toEqual([
      '9',
    ]);
  });

  it('takes a case for the source of the others, which explains itself', async () => {
    const { sources, tree } = await ask(
      [met(1, 2, 10), met(1, 3, 12)],
      [
        { tag: '1', onset: at(15) },
        { tag: '2', onset: at(40) },
        { tag: '3', onset: at(41) },
      ],
    );
    expect(sources[0]).toMatchObject({ person: '1', isCase: true });
    expect(sources[0]?.explains.map((one) => one.case)).toEqual(['2', '3']);
    expect(tree.roots).toEqual(['1']);
    expect(tree.edges.map(({ from, to }) => [from, to])).toEqual([
      ['1', '2'],
      ['1', '3'],
    ]);
  });

  it('gives the same answer in whatever order the cases come, and ranks by tag number what is alike', async () => {
    const alike = [30, 4, 200].flatMap((tag) => [met(tag, 1, 10), met(tag, 2, 12)]);
    const answer = await ask(alike, cases(1, 2));
    expect(named(answer.sources).filter((tag) => ['30', '4', '200'].includes(tag))).toEqual([
      '4',
      '30',
      '200',
    ]);
    const turned = await ask(alike, cases(2, 1));
    expect(named(turned.sources)).toEqual(named(answer.sources));
    expect(turned.tree).toEqual(answer.tree);
  });

  it('ranks by tag number sources that met the cases alike, each in an order of its own', async () => {
    const minutes = [10, 20, 40, 25];
    const sources = [30, 4, 200, 1000];
    const contacts = sources.flatMap((source, i) =>
      [1, 2, 3, 5].map((tag, j) => met(source, tag, 10 + 20 * i + 2 * j, minutes[(i + j) % 4])),
    );
    const wide = { hops: 1, minSeconds: 300 };
    const answer = await ask(contacts, cases(1, 2, 3, 5), wide);
    expect(named(answer.sources)).toEqual(['4', '30', '200', '1000']);
    expect(answer.sources[0]).toMatchObject({ explains: [1, 2, 3, 5].map((tag) => ({ case: String(tag) })) });
    const turned = await ask(contacts, cases(5, 3, 1, 2), wide);
    expect(turned.sources[0]).toMatchObject({ explains: [5, 3, 1, 2].map((tag) => ({ case: String(tag) })) });
    const scores = (sources: readonly ClusterSource[]) => sources.map(({ score }) => score);
    expect(named(turned.sources)).toEqual(named(answer.sources));
    expect(scores(turned.sources)).toEqual(scores(answer.sources));
    expect(turned.tree).toEqual(answer.tree);
  });

  it('grows a tree from a presumed source, however many cases are likely sources themselves', async () => {
    const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const contacts = nine.flatMap((tag) => [
      met(99, tag, tag, 40),
      ...nine.filter((other) => other > tag).map((other) => met(tag, other, 20 + 3 * tag + other, 10)),
    ]);
    const crowd = Array.from({ length: 100 }, (_, n) => met(99, 1000 + n, 15, 40));
    const ill = nine.map((tag) => ({ tag: String(tag), onset: at(100 + tag) }));
    const { sources, tree } = await ask([...contacts, ...crowd], ill, { minSeconds: 300, to: at(200) });
    expect(sources.findIndex((source) => named([source])[0] === '99')).toBeGreaterThanOrEqual(8);
    expect(tree.roots).toEqual(['99']);
    expect(tree.edges).toHaveLength(9);
  });

  it('names cases that nobody can have infected, and answers for the others', async () => {
    const { sources, unreached, unknown, tree } = await ask(both, [
      ...cases(1, 2),
      { tag: '77' },
      { tag: '3', onset: at(1) },
    ]);
    expect(unreached).toEqual(['77', '3']);
    expect(unknown).toEqual(['77']);
    expect(sources.length).toBeGreaterThan(0);
    expect(tree.roots).toEqual(expect.arrayContaining(['3', '77']));
  });

  it('lists as many sources as asked for, and says how many there are', async () => {
    const { sources, sourceCount } = await ask(both, cases(1, 2, 3), { list: 1 });
    expect(sources).toHaveLength(1);
    expect(sourceCount).toBeGreaterThan(1);
  });

  it('names everybody in the answer for the record', async () => {
    const answer = await ask([met(9, 1, 10), met(9, 5, 10), met(5, 2, 30)], cases(1, 2, 77));
    expect(tagsInCluster(answer)).toEqual([1, 2, 5, 9, 77]);
  });

  it('lets others have their turns, and stops when it is called off', async () => {
    const abort = new AbortController();
    const row = { hop: 1, exposedAt: at(1), earliestAt: at(1), score: 0.1 };
    const step = { start: at(1), end: at(2), nearSeconds: 900, mutual: true, ledger: [] };
    let walks = 0;
    const walk = async ({ case: to }: { readonly case: string }) => {
      walks += 1;
      const people = Array.from({ length: 2000 }, (_, k) => String(1000 + k));
      const reached = people.map((person) => ({ ...row, person, path: [{ ...step, from: person, to }] }));
      return { reached, reachedCount: reached.length };
    };
    const many = cases(...Array.from({ length: 30 }, (_, k) => k));
    const request = { cases: many, hops: 1, from: START, to: END, minSeconds: 900, latentSeconds: 0 };
    setImmediate(() => abort.abort(new Error('enough'))); // has its turn only when one is left to it
    const found = findClusters(walk, undefined, request, abort.signal);
    await expect(found).rejects.toThrow('enough');
    expect(walks).toBeLessThan(30 + 32);
  });

  it.each([
    ['one case', { cases: cases(1) }],
    ['65 cases', { cases: cases(...Array.from({ length: 65 }, (_, n) => n)) }],
    ['a case twice', { cases: cases(1, 2, 1) }],
    ['a negative incubation', { incubationSeconds: -1 }],
    ['half an onset', { cases: [{ tag: '1', onset: 1.5 }, { tag: '2' }] }],
    ['an empty list', { list: 0 }],
    ['no hops', { hops: 0 }],
    ['a tag that is no number', { cases: [{ tag: 'x' }, { tag: '2' }] }],
  ])('refuses %s', async (_what, changes) => {
    await expect(ask(both, cases(1, 2), changes)).rejects.toMatchObject({ code: 'input' });
  });
});

describe('gateways as common sources', () => {
  const idOf = (gateway: number): Uint8Array => new Uint8Array(16).fill(gateway);

  /** [tag, gateway, hour, minutes] */
  function presence(...stays: readonly (readonly [number, number, number, number])[]): ClusterPresence {
    const people = new Map<number, number>();
    const book = new PresenceBook({
      personOf: (tag) => people.get(tag) ?? (people.set(tag, people.size), people.size - 1),
    });
    for (const [tag, gateway, hour, minutes] of stays) {
      const [start, end] = [at(hour), at(hour) + 60 * minutes];
      book.add({ tag: asTagNumber(tag), gatewayId: idOf(gateway), start, end });
    }
    return { view: book.view(), personOf: (tag) => people.get(tag), counted: () => {} };
  }
  const contacts = [met(1, 50, 5), met(2, 51, 5), met(3, 52, 5)];

  it('are places where two cases stayed for long enough in the time in which they can have been infected', async () => {
    const seen = presence(
      [1, 7, 10, 60],
      [2, 7, 30, 20],
      [1, 6, 10, 60],
      [2, 6, 10, 5],
      [3, 7, 60, 60],
      [9, 7, 10, 60],
    );
    const ill = [{ tag: '1' }, { tag: '2' }, { tag: '3', onset: at(50) }];
    const { sources, sourceCount } = await ask(contacts, ill, {}, seen);
    expect(sourceCount).toBe(1);
    expect(sources).toMatchObject([
      {
        ...{ kind: 'gateway', gateway: toHex(idOf(7)), othersReached: 1 },
        explains: [
          { case: '1', start: at(10), end: at(11), seconds: HOUR },
          { case: '2', start: at(30), seconds: 1200 },
        ],
      },
    ]);
  });

  it('are weighed against everybody else who stayed there', async () => {
    const crowd = Array.from({ length: 60 }, (_, n) => [100 + n, 6, 20, 60] as const);
    const seen = presence([1, 6, 10, 60], [2, 6, 10, 60], [1, 7, 12, 60], [2, 7, 12, 60], ...crowd);
    const answer = await ask(contacts, cases(1, 2), {}, seen);
    expect(named(answer.sources)).toEqual([toHex(idOf(7)), toHex(idOf(6))]);
    expect(answer.sources[1]).toMatchObject({ othersReached: 60 });
  });

  it('are left out where they are not asked for', async () => {
    const seen = presence([1, 7, 10, 60], [2, 7, 10, 60]);
    expect((await ask(contacts, cases(1, 2), { gateways: false }, seen)).sources).toEqual([]);
  });
});
