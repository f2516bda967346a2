/** What every spool promises (courier/spool.ts). `open` opens the same spool again where it outlives its process. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_FATES } from '../../courier/spool.js';
import type { OutboundEntry, RefusedEntry, Spool, SpoolLimits } from '../../courier/spool.js';
import { asUnixMs } from '../../protocol/brands.js';

export const LIMITS = { maxItems: 3, maxBytes: 4096 };

export const entryOf = (number: number, bytes = 8): OutboundEntry => ({
  type: 1 + (number % 9),
  timeMs: asUnixMs(1_000_000 + number),
  payload: new Uint8Array(bytes).fill(number % 251),
});

export const entriesOf = (from: number, count: number): OutboundEntry[] =>
  Array.from({ length: count }, (_, k) => entryOf(from + k));

export async function refusedOf(spool: Spool): Promise<RefusedEntry[]> {
  const entries: RefusedEntry[] = [];
  for await (const entry of spool.refused()) entries.push(entry);
  return entries;
}

export interface SpoolStage {
  open(limits?: Partial<SpoolLimits>): Promise<Spool>;
}

const BOUNDS: SpoolLimits = { maxEntries: 20, maxBytes: 10_000, presenceShare: 1, maxRefused: 3 };

export function describeSpool(name: string, stage: () => Promise<SpoolStage>): void {
  const opened = async (limits: Partial<SpoolLimits> = {}): Promise<Spool> =>
    (await stage()).open({ ...BOUNDS, ...limits });

  describe(name, () => {
    it('gives entries ids that ascend without gaps, over all calls at once', async () => {
      const spool = await opened();
      const ids = await Promise.all([0, 3, 5].map((from) => spool.append(entriesOf(from, 2))));
      expect(ids.flat()).toEqual([0, 1, 2, 3, 4, 5]);
    });

    it('forms batches in the order of entries, numbered from 1, of so many items and bytes', async () => {
      const spool = await opened();
      await spool.append([...entriesOf(0, 4), entryOf(4, 3000), entryOf(5, 3000)]);
      const batches = [];
      for (let batch = await spool.form(LIMITS); batch; batch = await spool.form(LIMITS)) batches.push(batch);
      expect(batches.map(({ seq, ids }) => [seq, ids])).toEqual([
        [1, [0, 1, 2]],
        [2, [3, 4]],
        [3, [5]],
      ]);
      expect(batches[0]?.entries).toEqual(entriesOf(0, 3));
      expect(await spool.formed()).toEqual(batches);
    });

    it('refuses an entry larger than any batch with "size"', async () => {
      const spool = await opened();
      await spool.append([entryOf(0, 5000)]);
      await expect(spool.form(LIMITS)).rejects.toMatchObject({ code: 'size' });
    });

    it.each([
      ['entries', { maxEntries: 3 }],
      ['bytes', { maxBytes: 80 }],
    ])(
      'is full at its bound of %s, keeps nothing of that call, and takes more after a batch ended',
      async (_, limits) => {
        const spool = await opened(limits);
        await spool.append(entriesOf(0, 3));
        await expect(spool.append(entriesOf(3, 2))).rejects.toMatchObject({ code: 'full' });
        expect(spool.depth()).toMatchObject({ entries: 3 });
        const batch = await spool.form(LIMITS);
        await expect(spool.append([entryOf(3)])).rejects.toMatchObject({ code: 'full' });
        await spool.settle(batch?.seq ?? 0, NO_FATES);
        expect(spool.depth()).toMatchObject({ entries: 0, bytes: 0, oldestMs: undefined });
        expect(await spool.append(entriesOf(3, 2))).toEqual([3, 4]);
      },
    );

    it.each<[string, number, Partial<SpoolLimits>]>([
      ['entries', 8, { maxEntries: 12 }],
      ['bytes', 300, { maxBytes: 4_000 }],
    ])(
      'takes presence reports up to their share of the %s alone, and what tags bring into all of it',
      async (_, payloadBytes, limits) => {
        const spool = await opened({ ...limits, presenceShare: 0.25 });
        const [presence, report] = [2, 1].map((type) => ({ ...entryOf(0, payloadBytes), type }));
        if (presence === undefined || report === undefined) throw new Error('no entries');
        const upToFull = async (entry: OutboundEntry): Promise<number> => {
          for (let count = 0; ; count += 1) {
            const taken = await spool.append([entry]).then(
              () => true,
              () => false,
            );
            if (!taken) return count;
          }
        };
        const kept = await upToFull(presence);
        expect(kept).toBe(3);
        await expect(spool.append([presence])).rejects.toMatchObject({
          code: 'full',
          message: expect.stringContaining('presence') as string,
        });
        expect(await upToFull(report)).toBeGreaterThanOrEqual(9);
        const batch = await spool.form({ maxItems: 3, maxBytes: 1e6 });
        await spool.settle(batch?.seq ?? 0, NO_FATES);
        expect(await upToFull(presence)).toBe(3);
      },
    );

    it('counts entries, bytes and the oldest time', async () => {
      const spool = await opened();
      await spool.append(entriesOf(7, 2));
      expect(spool.depth()).toMatchObject({ entries: 2, oldestMs: 1_000_007, parked: 0, refused: 0 });
      expect(spool.depth().bytes).toBeGreaterThanOrEqual(16);
    });

    it('gives a batch the next number, once and with the same entries', async () => {
      const spool = await opened();
      await spool.append(entriesOf(0, 5));
      const first = await spool.form(LIMITS);
      await spool.form(LIMITS);
      const again = await spool.renumber(1);
      expect(again).toEqual({ ...first, seq: 3 });
      expect((await spool.formed()).map(({ seq }) => seq)).toEqual([2, 3]);
      await expect(spool.renumber(1)).rejects.toMatchObject({ code: 'not-found' });
    });

    it('gives a batch a number further on, and what comes after it numbers beyond', async () => {
      const spool = await opened();
      await spool.append(entriesOf(0, 9));
      const first = await spool.form(LIMITS);
      await spool.form(LIMITS);
      expect(await spool.renumber(1, 4)).toEqual({ ...first, seq: 6 });
      expect((await spool.renumber(2)).seq).toBe(7);
      expect((await spool.form(LIMITS))?.seq).toBe(8);
    });

    it('parks entries until they are recalled, counted all the while, the longest parked first', async () => {
      const spool = await opened();
      await spool.append(entriesOf(0, 6));
      await spool.form(LIMITS);
      await spool.form(LIMITS);
      await spool.settle(2, { parked: [4], refused: [] });
      await spool.settle(1, { parked: [0, 2], refused: [] });
      expect(spool.depth()).toMatchObject({ entries: 3, parked: 3 });
      expect(await spool.form(LIMITS)).toBeUndefined();
      const recalled = await spool.recall({ ...LIMITS, maxItems: 2 });
      expect(recalled).toEqual({ seq: 3, ids: [4, 0], entries: [entryOf(4), entryOf(0)] });
      expect((await spool.recall(LIMITS))?.ids).toEqual([2]);
      expect(await spool.recall(LIMITS)).toBeUndefined();
      expect(spool.depth()).toMatchObject({ entries: 3, parked: 0 });
    });

    it('keeps the newest of the entries refused for good, with their reasons, outside its bound', async () => {
      const spool = await opened();
      await spool.append(entriesOf(0, 6));
      for (const seq of [1, 2]) {
        const batch = await spool.form(LIMITS);
        const refused = (batch?.ids ?? []).slice(0, 2).map((id) => ({ id, reason: id < 4 ? 2 : 5 }));
        expect(await spool.settle(seq, { parked: [], refused })).toBe(seq === 1 ? 0 : 1);
      }
      expect(spool.depth()).toMatchObject({ entries: 0, refused: 3 });
      expect(await refusedOf(spool)).toEqual(
        [1, 3, 4].map((number) => ({ reason: number < 4 ? 2 : 5, entry: entryOf(number) })),
      );
      expect([...spool.refusedByReason()]).toEqual([
        [2, 2],
        [5, 1],
      ]);
    });

    it('lists what is kept aside in the order in which it was posted', async () => {
      const spool = await opened();
      await spool.append(entriesOf(0, 6));
      await spool.form(LIMITS);
      await spool.form(LIMITS);
      await spool.settle(2, { parked: [], refused: [{ id: 4, reason: 2 }] });
      await spool.settle(1, { parked: [], refused: [{ id: 1, reason: 5 }] });
      expect((await refusedOf(spool)).map(({ entry }) => entry)).toEqual([entryOf(1), entryOf(4)]);
    });

    it('drops all that is kept aside, nothing else, and keeps aside anew', async () => {
      const spool = await opened();
      await spool.append(entriesOf(0, 6));
      await spool.form(LIMITS);
      await spool.settle(1, { parked: [2], refused: [{ id: 0, reason: 2 }] });
      await spool.dropRefused();
      expect(await refusedOf(spool)).toEqual([]);
      expect(spool.refusedByReason().size).toBe(0);
      expect(spool.depth()).toMatchObject({ entries: 4, parked: 1, refused: 0 });
      await spool.dropRefused();
      expect((await spool.form(LIMITS))?.ids).toEqual([3, 4, 5]);
      await spool.settle(2, { parked: [], refused: [{ id: 4, reason: 5 }] });
      expect(await refusedOf(spool)).toEqual([{ reason: 5, entry: entryOf(4) }]);
    });

    it('ends a batch once; ending it again, or one never formed, changes nothing', async () => {
      const spool = await opened();
      await spool.append(entriesOf(0, 4));
      await spool.form(LIMITS);
      for (const seq of [1, 1, 9]) await spool.settle(seq, NO_FATES);
      expect(spool.depth()).toMatchObject({ entries: 1 });
      expect((await spool.form(LIMITS))?.ids).toEqual([3]);
    });

    it('gives each number to one batch when many ask at once', async () => {
      const spool = await opened();
      await spool.append(entriesOf(0, 12));
      const batches = await Promise.all(Array.from({ length: 6 }, () => spool.form(LIMITS)));
      expect(batches.map((batch) => batch?.seq)).toEqual([1, 2, 3, 4, undefined, undefined]);
      expect(batches.flatMap((batch) => batch?.ids ?? [])).toEqual(Array.from({ length: 12 }, (_, k) => k));
    });

    it('never holds an entry in two places, and loses none, whatever is asked of it', async () => {
      const action = fc.oneof(
        fc.record({ append: fc.integer({ min: 1, max: 4 }) }),
        fc.constant('form' as const),
        fc.constant('recall' as const),
        fc.constant('renumber' as const),
        fc.record({ settle: fc.constantFrom('forget', 'park', 'refuse') }),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(action, { maxLength: 25 }), async (actions) => {
          const spool = await opened({ maxEntries: 200, maxRefused: 200 });
          const [held, gone] = [new Set<number>(), new Set<number>()];
          for (const step of actions) {
            if (typeof step === 'object' && 'append' in step)
              for (const id of await spool.append(entriesOf(0, step.append))) held.add(id);
            else if (step === 'form') await spool.form(LIMITS);
            else if (step === 'recall') await spool.recall(LIMITS);
            else {
              const [batch] = await spool.formed();
              if (batch === undefined) continue;
              if (step === 'renumber') {
                await spool.renumber(batch.seq);
                continue;
              }
              const parked = step.settle === 'park' ? batch.ids.slice(1) : [];
              const ended = batch.ids.filter((id) => !parked.includes(id));
              const refused = step.settle === 'refuse' ? ended.map((id) => ({ id, reason: 1 })) : [];
              await spool.settle(batch.seq, { parked, refused });
              for (const id of ended) {
                held.delete(id);
                gone.add(id);
              }
            }
          }
          expect(spool.depth().entries).toBe(held.size);
          const left: number[] = [];
          for (let parked = spool.depth().parked; parked > 0; parked = spool.depth().parked)
            await spool.recall(LIMITS);
          while (await spool.form(LIMITS));
          for (const batch of await spool.formed()) left.push(...batch.ids);
          expect(left.sort((a, b) => a - b)).toEqual([...held].sort((a, b) => a - b));
          await spool.close();
        }),
        { numRuns: 25 },
      );
    });
  });
}
