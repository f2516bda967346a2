import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { traceTree } from '../../cli/present/trace-tree.js';
import { localTime } from '../../cli/terminal/times.js';
import type { Contact } from '../../tracer/contact.js';
import { trace } from '../../tracer/looks/trace.js';
import type { TraceRequest, TraceResult } from '../../tracer/looks/trace-result.js';
import { plainView } from '../reference/views.js';

const START = 20_700 * 86_400;

/** They were together for half an hour, from that hour on. */
function met(x: number, y: number, hour: number): Contact {
  const start = START + hour * 3600;
  return {
    ...{ a: asTagNumber(Math.min(x, y)), b: asTagNumber(Math.max(x, y)), epoch: asEpoch(hour) },
    ...{ start, end: start + 1800, bucketSeconds: [1800, 0, 0, 0] },
    ...{ attenuationDb: 50, mutual: true, partial: false, ledger: [hour] },
  };
}

/** The tree's lines, each as its indentation and its first word: the shape, and who hangs where. */
function shapeOf(contacts: readonly Contact[], changes: Partial<TraceRequest> = {}): string[] {
  return linesOf(contacts, changes).flatMap((line) => {
    const [, stem] = /^([│├└─ ]*\d+) /.exec(line) ?? [];
    if (stem === undefined || line.includes('may')) return [];
    return [line.includes('possible source') ? `${stem} possible source` : stem];
  });
}

const linesOf = (contacts: readonly Contact[], changes: Partial<TraceRequest>): string[] =>
  printed(answerOn(contacts, changes));

function answerOn(contacts: readonly Contact[], changes: Partial<TraceRequest> = {}): TraceResult {
  const { view, options } = plainView(contacts);
  const request = { case: '1', direction: 'both', hops: 2, from: START, to: START + 90_000 } as const;
  return trace(view, { ...request, minSeconds: 900, latentSeconds: 0, ...changes }, options);
}

const printed = (...shown: Parameters<typeof traceTree>): string[] =>
  stripVTControlCharacters(traceTree(...shown)).split('\n');

describe('the printed tree of a trace', () => {
  it('hangs whoever a source infected under that source, and not under the case', () => {
    const contacts = [met(9, 1, 1), met(8, 9, 0), met(9, 4, 2), met(4, 5, 3), met(8, 7, 5)];
    expect(shapeOf(contacts)).toEqual([
      ...['1', '└─ 9', '   └─ 8'], // who may be the source
      '1',
      ...['9 possible source', '└─ 4', '   └─ 5'],
      ...['8 possible source', '└─ 7'],
    ]);
  });

  it('has one root, the case, of a trace one way', () => {
    const contacts = [met(1, 2, 1), met(2, 3, 2), met(1, 4, 3), met(9, 1, 0)];
    expect(shapeOf(contacts, { direction: 'forward' })).toEqual(['1', '├─ 9', '├─ 2', '│  └─ 3', '└─ 4']);
    expect(shapeOf(contacts, { direction: 'backward', hops: 1 })).toEqual(['1', '├─ 9', '├─ 2', '└─ 4']);
  });

  it('says what its columns mean', () => {
    const backward = linesOf([met(9, 1, 1)], { direction: 'backward' });
    expect(backward).toContain(
      'last exposure: the latest encounter by which this person can have infected the next one; earlier ones may count too',
    );
    const forward = linesOf([met(1, 9, 1)], { direction: 'forward' });
    expect(forward.join('\n')).toMatch(/^score: 0 to 1, .*^└─ 9 .* score 0\.\d\d/ms);
    expect(forward.join('\n')).not.toContain('last exposure');
  });

  it('says of each way which encounter a line shows: backward the last that counts', () => {
    const [contacts, ways] = [[met(9, 1, 1), met(9, 1, 5), met(9, 2, 6)], ['backward', 'forward', 'both']] as const; // prettier-ignore
    const [backward = '', forward, both] = ways.map((direction) =>
      linesOf(contacts, { direction }).join('\n'),
    );
    expect(backward).toMatch(/^close contact: .*; a line shows the last that counts$/m);
    expect(backward).toContain(`last exposure ${localTime(START + 5 * 3600)}`);
    expect(forward).toMatch(/^close contact: .*; a line shows the one that completed it$/m);
    expect(forward).toContain(`exposed ${localTime(START + 3600 + 1800)}`);
    expect(both).toMatch(/; a line shows the last that counts of a possible source, of others the one that completed it$/m); // prettier-ignore
  });

  it('says of somebody who can have infected the next one later by a longer way that they can', () => {
    const contacts = [met(8, 1, 1), met(8, 9, 4), met(9, 1, 6)];
    const backward = linesOf(contacts, { direction: 'backward' }).join('\n');
    const [first, later] = [localTime(START + 3600), localTime(START + 4 * 3600)];
    expect(backward).toMatch(new RegExp(`8 .*last exposure ${first} .*by a longer way ${later}`));
  });

  it('does not say of a score above 0 that it is 0.00', () => {
    const brief = { ...met(1, 9, 1), bucketSeconds: [0, 0, 0, 20] } as const;
    const faint = { ...met(1, 8, 1), bucketSeconds: [10, 0, 0, 0] } as const;
    const lines = linesOf([brief, faint], { direction: 'forward', minSeconds: 0 }).join('\n');
    expect(lines).toMatch(/8 .* score < 0\.01 /);
    expect(lines).toMatch(/9 .* score 0\.00 /);
  });

  it('says what near means where other seconds make a close contact', () => {
    const meaning = 'near: immediate and near seconds, whatever class was asked for';
    const apart = { ...met(1, 9, 1), bucketSeconds: [0, 0, 1200, 0] } as const;
    const medium = linesOf([apart], { direction: 'forward', attenuation: 'medium' });
    expect(medium).toContain(meaning);
    expect(medium.join('\n')).toMatch(/└─ 9 .* 0 s near, /);
    expect(linesOf([met(1, 9, 1)], { attenuation: 'immediate' })).toContain(meaning);
    expect(linesOf([met(1, 9, 1)], {})).not.toContain(meaning);
  });

  it('names the minute of an encounter once where it begins and ends in it', () => {
    const moment = { ...met(1, 9, 1), end: START + 3620, bucketSeconds: [20, 0, 0, 0] } as const;
    const lines = linesOf([moment], { direction: 'forward', minSeconds: 10 });
    expect(lines.join('\n')).toMatch(/20 s near, [^–,]+, [^–,]+, [^–,]+, seen by both/);
    expect(linesOf([met(1, 9, 1)], { direction: 'forward' }).join('\n')).toMatch(
      /30 min near, [^–]+–\d\d:\d\d,/,
    );
  });
});

describe('the printed list of a trace by score', () => {
  const longer = { ...met(2, 4, 9), end: START + 9 * 3600 + 2400, bucketSeconds: [2400, 0, 0, 0] } as const;
  const contacts = [met(1, 3, 1), { ...met(1, 2, 2), bucketSeconds: [3600, 0, 0, 0] } as const, longer];
  const namesIn = (lines: readonly string[]): string[] =>
    lines.flatMap(
      (line) => /^ {2}(\d+ +hop \d {2}(?:from|to) \d+)/.exec(line)?.[1]?.replace(/ +/g, ' ') ?? [],
    );

  it('has the highest score first, and names the one next to them', () => {
    const forward = answerOn(contacts, { direction: 'forward' });
    expect(namesIn(printed(forward, 'score'))).toEqual([
      '2 hop 1 from 1',
      '3 hop 1 from 1',
      '4 hop 2 from 2',
    ]);
    expect(namesIn(printed(forward))).toEqual([]);
    const both = printed(answerOn([met(9, 1, 0), ...contacts]), 'score');
    expect(namesIn(both)[0]).toBe('2 hop 1 to 1');
    expect(both.join('\n')).not.toMatch(/[├└]/);
  });

  it('says whom it sorts where not all are listed', () => {
    const capped = answerOn(contacts, { direction: 'forward', list: 1 });
    const said = '2 more counted and not listed: these are the first 1 by hop, then time of exposure';
    expect(printed(capped, 'score')).toContain(`${said}, sorted by score; --list N lists more`);
    expect(printed(capped)).toContain(`${said}; --list N lists more`);
  });
});

it('an answer about a window of which nothing is known is no list of nobody', () => {
  const window = { direction: 'forward', from: START - 90_000, to: START - 80_000 } as const;
  const known = { from: START + 3600, to: START + 5400 };
  const lines = printed({ ...answerOn([met(1, 9, 1)], window), known });
  expect(lines[0]).toBe(
    `nothing is known of this window: contacts are known from ${localTime(known.from)} to ${localTime(known.to, true)}`,
  );
  expect(lines.join('\n')).not.toMatch(/0 people|nobody/);
  const byPresence = printed({ ...answerOn([met(1, 9, 1)], window), presence: true, known });
  expect(byPresence[0]).toContain('contacts and stays at gateways are known from');
});
