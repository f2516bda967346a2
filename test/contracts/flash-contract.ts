/** What every Flash must do (firmware-sim/flash.ts). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Flash } from '../../firmware-sim/flash.js';

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
      const action = fc.oneof(
        fc.record({ append: fc.integer({ min: 1, max: 5 }) }),
        fc.record({ free: fc.nat(9) }),
        fc.record({ drop: fc.nat(9) }),
      );
      fc.assert(
        fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
          const flash = openFlash(6);
          const model: { id: number; number: number }[] = [];
          let [next, dropped] = [0, 0];
          const remove = (id: number): boolean => {
            const index = model.findIndex((entry) => entry.id === id);
            if (index >= 0) model.splice(index, 1);
            return index >= 0;
          };
          for (const step of actions) {
            if ('append' in step) {
              flash.append(Array.from({ length: step.append }, (_, k) => recordBytes(next + k)));
              for (let k = 0; k < step.append; k += 1, next += 1) {
                if (remove(next - 6)) dropped += 1;
                model.push({ id: next, number: next });
              }
            } else {
              const place = 'free' in step ? step.free : step.drop;
              const id = model[place % Math.max(1, model.length)]?.id ?? -1;
              if ('free' in step) flash.free([id]);
              else flash.drop([id]);
              if (remove(id) && 'drop' in step) dropped += 1;
            }
          }
          expect([...flash.entries()].map(({ id, bytes }) => ({ id, number: numberOf(bytes) }))).toEqual(model);
          expect(flash).toMatchObject({ stored: model.length, dropped });
          flash.close();
        }),
        { numRuns: 60 },
      );
    });
  });
}
