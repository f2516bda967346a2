import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeEntry } from '../../../protocol/tlog/entry.js';
import { DAY_SECONDS, dayOf } from '../../../protocol/time.js';
import type { LoggedEntry } from '../../../tracer/follow/payloads.js';
import { readAgain } from '../../../tracer/waiting/read-again.js';
import { WaitingReports } from '../../../tracer/waiting/waiting-reports.js';
import { standingIn } from '../contacts/all-contacts.js';
import { keysOf, NOON, recordOf, reportOf } from '../deployment.js';
import { keep } from '../keep-parts.js';
import { MemoryLog } from '../memory-log.js';
import { tracerOn } from '../tracer-on.js';

const log = new MemoryLog().fill(600);
const entries: readonly LoggedEntry[] = log.entries.map((bytes, index) => ({ ...decodeEntry(bytes), index }));
const at = (index: number): LoggedEntry => entries[index % entries.length]!;
const indexesOf = (ready: ReturnType<WaitingReports['ready']>) => ready.entries.map(({ index }) => index);
const nobody = (): void => undefined;

describe('waiting reports', () => {
  it('refuse what is beyond the bound, and nothing else, until days leave', () => {
    let given = 0;
    const waiting = new WaitingReports((_type, count) => (given += count), 3);
    [5, 4, 5, 6, 6].forEach((day, index) => waiting.add(at(index), day));
    expect([given, waiting.size, waiting.withoutRoom]).toEqual([2, 3, 2]);
    expect(indexesOf(waiting.ready(() => true, 9))).toEqual([1]);
    waiting.forgetBefore(6);
    expect([given, waiting.size, waiting.withoutRoom]).toEqual([5, 0, 2]);
    waiting.forgetBefore(7);
    expect(waiting.withoutRoom).toBe(0);
  });

  it('are given a part at a time, once their day has keys, and wait until done', () => {
    const waiting = new WaitingReports(nobody);
    [5, 6, 6, 6].forEach((day, index) => waiting.add(at(index), day));
    const hasKeys = (day: number): boolean => day === 6;
    expect(indexesOf(waiting.ready(hasKeys, 2))).toEqual([1, 2]);
    const first = waiting.ready(hasKeys, 2);
    expect(indexesOf(first)).toEqual([1, 2]);
    first.done();
    const rest = waiting.ready(hasKeys, 2);
    expect(indexesOf(rest)).toEqual([3]);
    rest.done();
    expect(waiting.ready(hasKeys, 2).entries).toEqual([]);
    expect(waiting.size).toBe(1);
  });

  it('say of which type are those that are given up with their day', () => {
    const given = new Map<number, number>();
    const waiting = new WaitingReports((type, count) => void given.set(type, count));
    [1, 2, 1, 1].forEach((type, index) => waiting.add({ ...at(index), type }, index === 3 ? 6 : 5));
    waiting.forgetBefore(6);
    expect(given).toEqual(new Map([[1, 2], [2, 1]])); // prettier-ignore
    expect(waiting.size).toBe(1);
  });

  it('are the same in the next life, and a save costs what is new', () => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 5000 }), day: fc.constantFrom(5, 6) }),
      fc.record({ take: fc.integer({ min: 1, max: 6000 }), day: fc.constantFrom(5, 6) }),
      fc.constant('save'),
      fc.constant('next life'),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const parts = new Map<string, Uint8Array>();
        let state: Uint8Array | undefined;
        let unsaved = 0;
        let waiting = new WaitingReports(nobody);
        const plain = new Map<number, number[]>([[5, []], [6, []]]); // prettier-ignore
        let next = 0;
        const save = (): void => {
          const changes = waiting.changes();
          const written = changes.reduce((sum, one) => sum + ('bytes' in one ? one.bytes.length : 0), 0);
          expect(written).toBeLessThanOrEqual(24 * unsaved);
          keep(parts, changes);
          state = waiting.encode();
          waiting.saved();
          unsaved = 0;
        };
        for (const one of steps) {
          if (one === 'next life' || one === 'save') save();
          if (one === 'next life' && state) {
            waiting = new WaitingReports(nobody);
            waiting.restore(state, parts);
          }
          if (typeof one === 'string') continue;
          const kept = plain.get(one.day)!;
          if ('take' in one) {
            const ready = waiting.ready((day) => day === one.day, one.take);
            expect(indexesOf(ready)).toEqual(kept.splice(0, one.take));
            ready.done();
          } else
            for (let k = 0; k < one.add; k++, next++, unsaved++) {
              waiting.add({ ...SOME, index: 2 ** 33 + next }, one.day);
              kept.push(2 ** 33 + next);
            }
          expect(waiting.size).toBe([...plain.values()].flat().length);
        }
      }),
      { numRuns: 12 },
    );
  });
});

const SOME = at(0);

describe('entries that are read again', () => {
  const noted = (indexes: readonly number[]) => {
    const waiting = new WaitingReports(nobody);
    for (const index of indexes) waiting.add(at(index), 5);
    return waiting.ready(() => true, 999).entries;
  };

  it('are those that were, read a bundle at a time', async () => {
    log.calls.length = 0;
    const wanted = noted([0, 3, 255, 256, 599]);
    expect(await readAgain(log.reader(), wanted, 600)).toEqual([0, 3, 255, 256, 599].map(at));
    expect(log.calls).toEqual(['entryBundle', 'entryBundle', 'entryBundle']);
  });

  it('are refused when the ledger shows others', async () => {
    const other = new MemoryLog().fill(600, 1);
    await expect(readAgain(other.reader(), noted([7]), 600)).rejects.toMatchObject({ code: 'consistency' });
  });
});

describe('a tracer without the keys of a day', () => {
  it('reads all of its reports when they come', async () => {
    const day = dayOf(NOON);
    const many = new MemoryLog();
    many.nowMs = NOON * 1000;
    for (let tag = 0; tag < 300; tag++)
      many.append(reportOf({ tag: tag + 1, records: tag < 3 ? [recordOf(500, NOON, 900)] : [] }));
    const keys = keysOf([day - 1, day + 1]);
    const tracer = tracerOn(many, { dayKeys: keys });
    await tracer.catchUp();
    expect(tracer.status()).toMatchObject({ waiting: 300, contacts: 0 });
    many.passTo((NOON + DAY_SECONDS) * 1000);
    keys.days = [day];
    await tracer.catchUp();
    expect(tracer.status()).toMatchObject({ waiting: 0, contacts: 3, counts: { opened: 300 } });
  });

  it('counts the first of a tag and number, though a retry and a copy with other contents are read with the keys', async () => {
    const day = dayOf(NOON);
    const twice = new MemoryLog();
    twice.nowMs = NOON * 1000;
    const keys = keysOf([day - 1, day + 1]);
    const tracer = tracerOn(twice, { dayKeys: keys });
    const report = { tag: 1, records: [recordOf(2, NOON, 900)] };
    const first = twice.append(reportOf(report));
    await tracer.catchUp();
    expect(tracer.status()).toMatchObject({ waiting: 1, contacts: 0 });
    keys.days = [day - 1, day, day + 1];
    const copy = twice.append(reportOf({ tag: 1, records: [recordOf(3, NOON, 900)] }));
    twice.append(reportOf({ ...report, nonce: 1 }));
    await tracer.catchUp();
    expect(standingIn(tracer)).toMatchObject([{ a: 1, b: 2, ledger: [first] }]);
    expect(tracer.doubts()).toEqual([{ kind: 'clone', ledger: [first, copy], day }]);
    expect(tracer.status()).toMatchObject({ waiting: 0, counts: { repeated: 1, clones: 1 } });
  });
});
