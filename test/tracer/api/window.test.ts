/** The window of a question that leaves it open. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_SECONDS } from '../../../protocol/time.js';
import { gatewayEntry, NOON, presenceOf, presenceReportOf, recordOf, reportOf } from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import { askTracer } from '../../../tracer/api/client.js';
import { askCluster } from '../../../tracer/cluster/ask.js';
import { windowOf } from '../../../tracer/looks/window.js';
import type { Appended } from '../memory-log.js';
import { LOCAL, realApi, serve } from './stage.js';

const asking = {
  look: { officer: 'Dr. Wu', purpose: 'ward outbreak' },
  signal: new AbortController().signal,
};
const oneHop = { case: '7', direction: 'forward', hops: 1, minSeconds: 300, latentSeconds: 0 } as const;
const together = (start: number): Appended =>
  presenceReportOf([presenceOf(7, start, 900), presenceOf(8, start + 60, 800)], start + 7200);
const met = reportOf({ tag: 7, records: [recordOf(9, NOON, 600)] });

async function apiOn(...entries: readonly Appended[]) {
  const log = new MemoryLog();
  for (const entry of [gatewayEntry(), ...entries]) log.append(entry);
  return (await realApi(log)).api;
}

describe('a question without a window', () => {
  it.each([
    ['where there is no contact at all', [together(NOON)], ['8']],
    ['after the last contact', [met, together(NOON + 3600)], ['9', '8']],
    ['before the first contact', [met, together(NOON - 3600)], ['8', '9']],
  ])('counts every stay when it goes by presence, %s', async (_where, entries, persons) => {
    const api = await apiOn(...entries);
    const { result } = await api.trace({ request: { ...oneHop, presence: true } }, asking);
    expect(result.reached.map(({ person }) => person)).toEqual(persons);
  });

  it('is about contacts alone when it does not', async () => {
    const api = await apiOn(met, together(NOON - 3600));
    const { result } = await api.trace({ request: oneHop }, asking);
    expect(result).toMatchObject({ from: NOON, to: NOON + 600 });
  });

  it('weighs gateways by every stay, unless it weighs none', async () => {
    const api = await apiOn(met, together(NOON + 3600));
    const cases = [{ tag: '7' }, { tag: '9' }];
    const request = { cases, hops: 1, minSeconds: 300, latentSeconds: 0, incubationSeconds: 0, list: 9 };
    const endOf = async (gateways: boolean): Promise<number> =>
      (await api.cluster!({ request: { ...request, gateways } }, asking)).result.to;
    expect(await endOf(true)).toBe(NOON + 4500);
    expect(await endOf(false)).toBe(NOON + 600);
  });

  it('is answered with nothing when it asks what came since the last contact, or before the first', async () => {
    const api = await apiOn(met);
    const person = { person: '7', minSeconds: 900, limit: 10 };
    for (const window of [{ from: NOON + 601 }, { to: NOON - DAY_SECONDS }]) {
      const { contacts, from, to } = await api.contacts({ request: { ...person, ...window } }, asking);
      expect(contacts).toEqual([]);
      expect(from).toBe(to);
    }
  });

  it('never ends before it begins, and keeps what it says itself', () => {
    const time = fc.nat(100);
    const asked = fc.record({ from: time, to: time }, { requiredKeys: [] });
    const span = fc.tuple(time, time).map(([from, length]) => ({ from, to: from + length }));
    const property = fc.property(asked, fc.option(span, { nil: undefined }), (said, known) => {
      const { from, to } = windowOf(said, known);
      expect({ from, to }).toMatchObject(said);
      if (said.from === undefined || said.to === undefined) expect(from).toBeLessThanOrEqual(to);
    });
    fc.assert(property);
  });
});

describe('a window of which nothing is known', () => {
  const both = { ...oneHop, direction: 'both' } as const;
  const known = { from: NOON, to: NOON + 600 };

  it.each([
    ['long before', { from: 1_577_836_800, to: 1_577_923_200 }],
    ['right before', { from: NOON - DAY_SECONDS, to: NOON - 1 }],
    ['right after', { from: NOON + 601, to: NOON + DAY_SECONDS }],
    ['after, open at its end', { from: NOON + 601 }],
    ['before, open at its beginning', { to: NOON - 1 }],
  ])('is told with what is known: one %s', async (_where, window) => {
    const api = await apiOn(met);
    const { result } = await api.trace({ request: { ...both, ...window } }, asking);
    expect(result).toMatchObject({ reachedCount: 0, sourceCount: 0, known });
  });

  it.each([
    ['its last moment', { from: NOON - 60, to: NOON }],
    ['its first', { from: NOON + 600, to: NOON + 700 }],
    ['all of it', {}],
  ])('is none of which something is known, if by %s alone', async (_where, window) => {
    const api = await apiOn(met);
    const { result } = await api.trace({ request: { ...both, ...window } }, asking);
    expect(result).not.toHaveProperty('known');
  });

  it('is so by the stays too where these count', async () => {
    const api = await apiOn(met, together(NOON + 3600));
    const window = { from: NOON + 3700, to: NOON + 4000 };
    const asked = { ...oneHop, ...window };
    const [byContact, byPresence] = [
      await api.trace({ request: asked }, asking),
      await api.trace({ request: { ...asked, presence: true } }, asking),
    ];
    expect(byContact.result).toMatchObject({ known });
    expect(byPresence.result).not.toHaveProperty('known');
    const cases = [{ tag: '7' }, { tag: '9' }];
    const several = { cases, hops: 1, minSeconds: 300, latentSeconds: 0, ...window };
    expect((await api.cluster!({ request: several }, asking)).result).not.toHaveProperty('known');
    const people = { ...several, gateways: false };
    expect((await api.cluster!({ request: people }, asking)).result).toMatchObject({ known });
  });

  it('comes over HTTP as it is', async () => {
    const log = new MemoryLog();
    for (const entry of [gatewayEntry(), met]) log.append(entry);
    const { url } = await serve((await realApi(log)).api);
    const question = { officer: 'Dr. Wu', purpose: 'ward', request: { ...oneHop, to: NOON - 1 } };
    expect((await askTracer(url, LOCAL, question)).result).toMatchObject({ known });
    const cases = [{ tag: '7' }, { tag: '9' }];
    const several = { cases, hops: 1, minSeconds: 300, latentSeconds: 0, incubationSeconds: 0, to: NOON - 1 };
    const asked = await askCluster(url, LOCAL, { ...question, request: several });
    expect(asked.result).toMatchObject({ known });
  });
});
