import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { traceTree } from '../../cli/present/trace-tree.js';
import type { Contact } from '../../tracer/contact.js';
import { trace } from '../../tracer/looks/trace.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
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

function linesOf(contacts: readonly Contact[], changes: Partial<TraceRequest>): string[] {
  const { view, options } = plainView(contacts);
  const request = { case: '1', direction: 'both', hops: 2, from: START, to: START + 90_000 } as const;
  const asked = { ...request, minSeconds: 900, latentSeconds: 0, ...changes };
  return stripVTControlCharacters(traceTree(trace(view, asked, options))).split('\n');
}

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
    expect(backward).toContain('exposing from: may have infected the next person on the way from then on');
    const forward = linesOf([met(1, 9, 1)], { direction: 'forward' });
    expect(forward.join('\n')).toMatch(/^score: 0 to 1, .*^└─ 9 .* score 0\.\d\d/ms);
    expect(forward.join('\n')).not.toContain('exposing');
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
