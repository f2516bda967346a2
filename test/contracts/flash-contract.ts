/** What every Flash must do (firmware-sim/tag/flash.ts). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Flash } from '../../firmware-sim/tag/flash.js';

export function recordBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(50);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
const held = (flash: Flash): number[] => [...flash.entries()].map(({ bytes }) => numberOf(bytes));

/** `openFlash` gives an empty flash of that many slots. */
export function flashContract(name: string, openFlash: (slots: number) => Flash): void {
  describe(`${name}, as a flash`, () => {
    it('holds what was appended, oldest first', () => {
      const flash = openFlash(8);
      flash.append([recordBytes(1), recordBytes(2)]);
      flash.append([recordBytes(3)]);
      expect(held(flash)).toEqual([1, 2, 3]);
      expect(flash).toMatchObject({ stored: 3, dropped: 0 });
    });

    it('overwrites the oldest when it is full, and counts it', () => {
      const flash = openFlash(4);
      flash.append([1, 2, 3, 4, 5, 6].map(recordBytes));
      expect(held(flash)).toEqual([3, 4, 5, 6]);
      expect(flash).toMatchObject({ stored: 4, dropped: 2 });
    });

    it('does not count what was freed before its place was taken', () => {
      const flash = openFlash(4);
      flash.append([1, 2, 3, 4].map(recordBytes));
      flash.free([...flash.entries()].slice(0, 2).map(({ id }) => id));
      flash.append([5, 6].map(recordBytes));
      expect(held(flash)).toEqual([3, 4, 5, 6]);
      expect(flash.dropped).toBe(0);
    });

    it('frees each record once and passes over what it does not hold', () => {
      const flash = openFlash(4);
      flash.append([1, 2].map(recordBytes));
      const ids = [...flash.entries()].map(({ id }) => id);
      flash.free([...ids, ...ids, 77]);
      flash.drop([...ids, 77]);
      expect(flash).toMatchObject({ stored: 0, dropped: 0 });
    });

    it('counts what is dropped', () => {
      const flash = openFlash(4);
      flash.append([1, 2, 3].map(recordBytes));
      flash.drop([...flash.entries()].slice(1).map(({ id }) => id));
      expect(held(flash)).toEqual([1]);
      expect(flash.dropped).toBe(2);
    });

    it('never gives an id twice', () => {
      const flash = openFlash(2);
      flash.append([1, 2, 3].map(recordBytes));
      const before = [...flash.entries()].map(({ id }) => id);
      flash.free(before);
      flash.append([4].map(recordBytes));
      const [after] = [...flash.entries()].map(({ id }) => id);
      expect(after).toBeGreaterThan(Math.max(...before));
    });

    it('behaves like a queue of so many places with holes', () => {
      const action = fc.record({ do: fc.constantFrom('append', 'append', 'free', 'drop'), at: fc.nat(9) });
      fc.assert(
        fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
          const flash = openFlash(PLACES);
          const model = newModel();
          for (const { do: what, at } of actions) {
            const id = model.held[at % Math.max(1, model.held.length)] ?? -1;
            if (what === 'append') flash.append(model.append(1 + (at % 5)));
            else if (what === 'free') flash.free([id]);
            else flash.drop([id]);
            if (what !== 'append') model.remove(id, what === 'drop');
          }
          const ids = [...flash.entries()].map(({ id }) => id);
          expect(ids).toEqual(model.held);
          expect(held(flash)).toEqual(model.held);
          expect(flash).toMatchObject({ stored: model.held.length, dropped: model.dropped });
          flash.close();
        }),
        { numRuns: 60 },
      );
    });
  });
}

const PLACES = 6;

/** The plainest thing that behaves as a flash must; the record of an id carries that id. */
function newModel() {
  const model = {
    held: [] as number[],
    dropped: 0,
    next: 0,
    remove: (id: number, counts: boolean): void => {
      if (counts && model.held.includes(id)) model.dropped += 1;
      model.held = model.held.filter((other) => other !== id);
    },
    append: (count: number): Uint8Array[] =>
      Array.from({ length: count }, () => {
        model.remove(model.next - PLACES, true);
        model.held.push(model.next);
        return recordBytes(model.next++);
      }),
  };
  return model;
}
