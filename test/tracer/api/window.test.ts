/** The window of a question that leaves it open. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY_SECONDS } from '../../../protocol/time.js';
import { gatewayEntry, NOON, presenceOf, presenceReportOf, recordOf, reportOf } from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import { windowOf } from '../../../tracer/looks/window.js';
import type { Appended } from '../memory-log.js';
import { realApi } from './stage.js';

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
