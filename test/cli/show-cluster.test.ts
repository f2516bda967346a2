/** What several cases have in common, on the screen: of walks that are made up, and of gateways. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { clusterText } from '../../cli/present/show-cluster.js';
import type { GatewayNames } from '../../cli/orders/gateway-names.js';
import { localTime } from '../../cli/terminal/times.js';
import { AskerError } from '../../tracer/asker-error.js';
import type { ClusterRequest, Trace } from '../../tracer/cluster/cluster-result.js';
import { findClusters } from '../../tracer/cluster/find-clusters.js';
import type { ClusterPresence } from '../../tracer/cluster/gateway-sources.js';

const HOUR = 3600;
const START = 20_700 * 86_400;
const END = START + 100 * HOUR;
const onlyTwo = [{ tag: '1' }, { tag: '2' }];

/** Cases were near these people at the same moment, one as much as the other; whoever is not named is in no contact. */
const walksTo =
  (peopleMetBy: Readonly<Record<string, readonly string[]>>): Trace =>
  async ({ case: tag, direction }) => {
    const people = peopleMetBy[tag];
    if (direction === 'forward') return { reached: [], reachedCount: 0 };
    if (people === undefined) throw new AskerError('not-found', 'no contact');
    const at = START + 10 * HOUR;
    const step = { to: tag, start: at, end: at + HOUR, nearSeconds: HOUR, mutual: true, ledger: [1] };
    const row = { hop: 1, exposedAt: at, earliestAt: at, score: 0.3 };
    const reached = people.map((person) => ({ ...row, person, path: [{ ...step, from: person }] }));
    return { reached, reachedCount: reached.length };
  };

/** One gateway, at which these stayed for an hour. */
function gatewayOf(...visitors: readonly string[]): ClusterPresence {
  const start = START + 20 * HOUR;
  const stays = visitors.map((_, person) => ({ person, gateway: 0, start, end: start + HOUR }));
  const view = {
    gateways: 1,
    staysOf: (person: number) => stays.filter((stay) => stay.person === person),
    overlapping: () => stays,
    gatewayId: () => new Uint8Array(16).fill(7),
  };
  const numbers = new Map(visitors.map((tag, person) => [Number(tag), person]));
  return { view, personOf: (tag) => numbers.get(tag), counted: () => undefined };
}

async function shown(
  trace: Trace,
  changes: Partial<ClusterRequest> = {},
  presence?: ClusterPresence,
  names?: GatewayNames,
) {
  const window = { hops: 1, from: START, to: END, minSeconds: 900, latentSeconds: 0 };
  const found = await findClusters(trace, presence, { cases: onlyTwo, ...window, ...changes });
  return { found, text: stripVTControlCharacters(clusterText(found, names)) };
}

const nobodyMet = walksTo({ 1: [], 2: [] });

describe('sources that are not listed', () => {
  const forty = Array.from({ length: 40 }, (_, k) => String(100 + k));

  it('are not called less likely: of some it is known that they are not more so, others were not weighed', async () => {
    const many = Array.from({ length: 140 }, (_, n) => String(100 + n));
    const { found, text } = await shown(walksTo({ 1: many, 2: many }));
    expect(found).toMatchObject({ sourceCount: 140, weighed: { people: 128 } });
    expect(found.sources).toHaveLength(20);
    expect(text).not.toContain('less likely');
    expect(text).toContain(
      '… and 108 more, weighed and not more likely; 12 more, not weighed in full, which may be more likely',
    );
  });

  it('are all counted where all were weighed, and none are where all are listed', async () => {
    const some = forty.slice(0, 25);
    expect((await shown(walksTo({ 1: some, 2: some }))).text).toMatch(
      /… and 5 more, weighed and not more likely$/m,
    );
    const few = forty.slice(0, 3);
    expect((await shown(walksTo({ 1: few, 2: few }))).text).not.toContain('… and');
  });
});

describe('what was looked at and found in nobody', () => {
  it('names gateways only where they were', async () => {
    const seen = gatewayOf();
    const without = await shown(nobodyMet, { gateways: false }, seen);
    expect(without.text).toContain('nobody was in reach of two of the cases');
    expect(without.text).not.toContain('gateway');
    const withThem = await shown(nobodyMet, {}, seen);
    expect(withThem.text).toContain('nobody, and no gateway, was in reach of two of the cases');
    expect([without.found.weighed, withThem.found.weighed]).toEqual([
      { people: 0 },
      { people: 0, gateways: 0 },
    ]);
  });
});

describe('a gateway', () => {
  it('is called by its name where that is known, and by its digits where it is not', async () => {
    const id = '07'.repeat(16);
    const named = await shown(walksTo({}), {}, gatewayOf('1', '2'), new Map([[id, 'hub-1']]));
    expect(named.text).toMatch(/ 1\. gateway hub-1 \(07070707…\) {2}score /);
    const unnamed = await shown(walksTo({}), {}, gatewayOf('1', '2'), new Map([['08'.repeat(16), 'hub-1']]));
    expect(unnamed.text).toContain(` 1. gateway ${id}  score `);
  });
});

describe('a case that no walk leads to', () => {
  it('is in the tree as what it is: in no contact, or not explained by one', async () => {
    const cases = [{ tag: '1' }, { tag: '2' }, { tag: '3' }, { tag: '4' }];
    const { found, text } = await shown(walksTo({ 1: [], 2: [] }), { cases }, gatewayOf('3'));
    expect(found).toMatchObject({ unknown: ['4'], onlySeen: ['3'] });
    for (const tag of ['3', '4']) expect(text).toContain(`${tag}  case; not placed: in no contact\n`);
    for (const tag of ['1', '2'])
      expect(text).toContain(`${tag}  case; no recorded contact explains it, or it is the source\n`);
  });

  it('is no number to doubt when gateways saw it', async () => {
    const { found, text } = await shown(walksTo({}), {}, gatewayOf('1', '2'));
    expect(text).toContain('1, 2 met nobody; gateways saw them');
    expect(text).not.toContain('is the number right?');
    expect(text).toMatch(/gateway 0707.*explains 2 of 2/);
    expect(found).toMatchObject({ unreached: ['1', '2'], unknown: [], onlySeen: ['1', '2'] });
  });

  it('is one to doubt when no gateway saw it either, or none was asked', async () => {
    const one = await shown(walksTo({}), {}, gatewayOf('1'));
    expect(one.found).toMatchObject({ unknown: ['2'], onlySeen: ['1'] });
    expect(one.text).toContain('1 met nobody; gateways saw it');
    expect(one.text).toContain('2 is in no contact at all, and no gateway saw it: is the number right?');
    const none = await shown(walksTo({}), { gateways: false }, gatewayOf('1', '2'));
    expect(none.found).toMatchObject({ unknown: ['1', '2'], onlySeen: [] });
    expect(none.text).toContain('2 is in no contact at all: is the number right?');
  });

  it('has no person to have infected it where a gateway may have, and nobody where none was asked', async () => {
    const { text } = await shown(nobodyMet, {}, gatewayOf('1', '2'));
    expect(text).toContain('no person can have infected 1, 2 by what was recorded');
    const without = await shown(nobodyMet, { gateways: false }, gatewayOf('1', '2'));
    expect(without.text).toContain('nobody can have infected 1, 2 by what was recorded');
  });

  it('is told from one that fell ill before the window, of which nothing was looked at', async () => {
    const onset = Date.UTC(2016, 8, 5, 12) / 1000;
    const cases = [{ tag: '1', onset }, { tag: '2' }];
    const { found, text } = await shown(nobodyMet, { cases, incubationSeconds: 86_400 });
    expect(found).toMatchObject({ unreached: ['1', '2'], unknown: [], beforeWindow: ['1'] });
    expect(text).toContain(
      `1 was infected by ${localTime(onset - 86_400)} (its onset, less the incubation), before the window begins`,
    );
    expect(text).toContain('nobody can have infected 2 by what was recorded');
    const plain = await shown(nobodyMet, { cases });
    expect(plain.text).toContain(`1 was infected by ${localTime(onset)} (its onset), before`);
  });

  it('is ranked and stands in the tree by an onset that is doubted, and both say so', async () => {
    const cases = [{ tag: '1', onset: Date.UTC(2016, 8, 5, 12) / 1000 }, { tag: '2' }, { tag: '3' }];
    const trace = walksTo({ 2: ['1'], 3: ['1'] });
    const { found, text } = await shown(trace, { cases });
    expect(found.sources).toMatchObject([{ person: '1', isCase: true }]);
    expect(text).toContain('this rests on an onset before the window: see above');
    expect(text).toContain('the source; its place rests on an onset before the window: see above');
    const inTheWindow = [{ tag: '1', onset: START + 5 * HOUR }, ...cases.slice(1)];
    expect((await shown(trace, { cases: inTheWindow })).text).not.toContain('rests on');
  });
});

it('a score is said to be a share, wherever there is one', async () => {
  const { text } = await shown(walksTo({ 1: ['9'], 2: ['9'] }));
  expect(text).toContain('score 1.00');
  expect(text).toContain('1.00 says that nothing else explains more, not that this explains the cases well');
  expect((await shown(nobodyMet)).text).not.toContain('1.00');
});

it('a line is said to show the last encounter that counts, and others reached are told without a word of the model', async () => {
  const { found, text } = await shown(walksTo({ 1: ['9'], 2: ['9'] }));
  expect(text).toMatch(/; a line shows the last that counts$/m);
  const [source] = found.sources;
  const others = { othersReached: 7, othersExpected: 0.84 };
  const busy = clusterText({ ...found, sources: source ? [{ ...source, ...others }] : [] });
  expect(busy).toContain('but would have reached 7 other people who are no case (infected, on average: 0.8)');
  const bounded = await shown(walksTo({ 1: ['9'], 2: ['9'] }), { infectiousSeconds: 90 * HOUR });
  expect(bounded.text).toMatch(
    /; a line shows the last that counts, or one in the infectious period of the source$/m,
  );
});

it('of a window of which nothing is known there is no list of nobody; a number in no contact is still doubted', async () => {
  const { found } = await shown(walksTo({ 1: [] }));
  const known = { from: END + HOUR, to: END + 2 * HOUR };
  const text = stripVTControlCharacters(clusterText({ ...found, known }));
  expect(text).toContain(
    `nothing is known of this window: contacts and stays at gateways are known from ${localTime(known.from)} to `,
  );
  expect(text).toContain('2 is in no contact at all: is the number right?');
  expect(text).not.toMatch(/nobody|1\.00|tree/);
  expect(clusterText({ ...found, known, gateways: false })).toContain(': contacts are known from ');
});
