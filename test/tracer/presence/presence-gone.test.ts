/** A presence book that had to let stays go: whoever asks is told from when on they are known, and so is whoever runs it. */
import { describe, expect, it } from 'vitest';
import { asTagNumber } from '../../../protocol/brands.js';
import { answerSchema } from '../../../tracer/looks/trace-message.js';
import { PresenceBook } from '../../../tracer/presence/presence-book.js';
import { findClusters } from '../../../tracer/cluster/find-clusters.js';
import { pathIn } from '../../../tracer/looks/found-path.js';
import { trace } from '../../../tracer/looks/trace.js';
import { walkTrace } from '../../../tracer/walk/trace-walks.js';
import { WalkWorkspace } from '../../../tracer/walk/workspace.js';
import { warningsOf } from '../../../tracer/warnings.js';
import { plainView } from '../../reference/views.js';
import { asked, meeting } from '../walk-stage.js';

const DAY = 86_400;
const [view, request] = [
  plainView([meeting(1, 2, 20_701 * DAY, 900)]).view,
  asked({ case: '1', presence: true, from: 20_700 * DAY, minSeconds: 60 }),
];

/** Room for four stays, and some of two days: those of the first have to go. */
function fullBook(): PresenceBook {
  const book = new PresenceBook({ personOf: (tag) => tag - 1, maxRuns: 4 });
  for (const [day, count] of [
    [20_700, 3],
    [20_701, 3],
  ] as const)
    // prettier-ignore
    for (let n = 0; n < count; n++) {
      const start = day * DAY + 1000 * n;
      book.add({ tag: asTagNumber(1 + n), gatewayId: new Uint8Array(16), start, end: start + 60 });
    }
  return book;
}

describe('presence of which some had to go', () => {
  it('is known from the day after on, until that day leaves as well', () => {
    const book = fullBook();
    expect([book.dropped, book.knownFrom]).toEqual([3, 20_701 * DAY]);
    expect(book.view().knownFrom).toBe(20_701 * DAY);
    book.forgetBefore(20_701);
    expect([book.dropped, book.knownFrom]).toEqual([3, undefined]);
    expect(book.view().knownFrom).toBeUndefined();
  });

  it('is not known of a day of which a sighting found no room', () => {
    const book = fullBook();
    for (let n = 0; n < 9; n++)
      book.add({
        tag: asTagNumber(9),
        gatewayId: new Uint8Array(16),
        start: 20_701 * DAY + 9000 + n * 900,
        end: 0,
      });
    expect(book.view().knownFrom).toBe(20_702 * DAY);
  });

  it('is not looked for in a report of which a sighting found no room', () => {
    const book = new PresenceBook({ personOf: (tag) => tag - 1, maxRuns: 4 });
    const gatewayId = new Uint8Array(16);
    const from = 20_700 * DAY;
    const seenAt = (start: number) =>
      [1, 2, 3].map((tag) => ({ tag: asTagNumber(tag), gatewayId, start, end: start + 60 }));
    book.addReport({ day: 20_700, gatewayId, ledgerIndex: 7 }, seenAt(from));
    book.addReport({ day: 20_700, gatewayId, ledgerIndex: 8 }, seenAt(from + 3600));
    expect(book.dropped).toBe(2);
    const times = [{ gatewayId, from, to: from + DAY }];
    expect([...book.places().reportsAt(times)].filter((index) => index !== undefined)).toEqual([7]);
  });

  it('is said by a trace whose window begins before, and by no other', () => {
    const presence = fullBook().view();
    const result = trace(view, request, { presence });
    expect(result.presenceFrom).toBe(20_701 * DAY);
    expect(answerSchema.parse({ accessIndex: 1, result }).result.presenceFrom).toBe(20_701 * DAY);
    expect(trace(view, { ...request, from: 20_701 * DAY }, { presence })).not.toHaveProperty('presenceFrom');
    expect(trace(view, { ...request, presence: false }, { presence })).not.toHaveProperty('presenceFrom');
  });

  it('is said of a path that goes by presence, and where there is none', () => {
    const presence = fullBook().view();
    const walks = walkTrace(view, request, new WalkWorkspace(), { presence });
    const pathTo = (person: string, from = request.from) =>
      pathIn(view, walks, { ...request, person, from }, { presence });
    expect(pathTo('2')).toMatchObject({ as: 'reached', presenceFrom: 20_701 * DAY });
    expect(pathTo('2', 20_701 * DAY)).not.toHaveProperty('presenceFrom');
    expect(() => pathTo('9')).toThrow(
      /leads to that person, and stays at gateways are known from 2026-09-05/,
    );
    expect(() => pathTo('9', 20_701 * DAY)).toThrow(/leads to that person$/);
  });

  it('is said by an answer on clusters that weighs gateways', async () => {
    const presence = {
      view: fullBook().view(),
      personOf: (tag: number) => tag - 1,
      counted: () => undefined,
    };
    const { hops, from, to, minSeconds, latentSeconds } = request;
    const question = { cases: [{ tag: '1' }, { tag: '2' }], hops, from, to, minSeconds, latentSeconds };
    const ask = (changes: object) =>
      findClusters(async (one) => trace(view, one), presence, { ...question, ...changes });
    expect(await ask({})).toMatchObject({ presenceFrom: 20_701 * DAY });
    expect(await ask({ gateways: false })).not.toHaveProperty('presenceFrom');
  });

  it('is warned of', () => {
    const waits = {
      waiting: 0,
      withoutRoom: 0,
      missingPayloads: 0,
      savingFails: false,
      hasClones: false,
      overtaken: 0,
    };
    const status = { border: { day: 1, logDay: 1 }, keepsLonger: false, ...waits };
    expect(warningsOf({ ...status, presenceFrom: undefined }).size).toBe(0);
    expect([...warningsOf({ ...status, presenceFrom: 20_701 * DAY }).values()].join()).toContain(
      'before 2026-09-05',
    );
  });
});
