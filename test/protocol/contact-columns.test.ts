import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MUTUAL,
  PARTIAL,
  newContactColumns,
  readContactColumns,
  sealContactColumns,
} from '../../protocol/contact-columns.js';
import { codeOf, withFlippedBit } from './errors-of.js';

const u16 = fc.nat(0xffff);
const row = fc.record({
  lower: fc.nat(0xffff_ffff),
  upper: fc.nat(0xffff_ffff),
  start: fc.nat(0xffff_ffff),
  duration: u16,
  immediate: u16,
  near: u16,
  medium: u16,
  other: u16,
  attenuationDb: fc.nat(255),
  flags: fc.constantFrom(0, MUTUAL, PARTIAL, MUTUAL | PARTIAL),
});
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;
const FIELDS = [
  'lower',
  'upper',
  'start',
  'duration',
  'immediate',
  'near',
  'medium',
  'other',
  'attenuationDb',
  'flags',
] as const satisfies readonly (keyof Row)[];

function fileOf(day: number, rows: readonly Row[]): Uint8Array<ArrayBuffer> {
  const { bytes, columns } = newContactColumns(day, rows.length);
  for (const field of FIELDS) rows.forEach((one, k) => (columns[field][k] = one[field]));
  sealContactColumns(bytes);
  return bytes;
}

const rowsOf = (bytes: Uint8Array): Row[] => {
  const columns = readContactColumns(bytes);
  return Array.from(
    { length: columns.count },
    (_, k) => Object.fromEntries(FIELDS.map((field) => [field, columns[field][k]])) as Row,
  );
};

const example: Row = {
  lower: 0x01020304,
  upper: 0x05060708,
  start: 0x090a0b0c,
  duration: 0x0d0e,
  immediate: 0x0f10,
  near: 0x1112,
  medium: 0x1314,
  other: 0x1516,
  attenuationDb: 0x17,
  flags: MUTUAL,
};

describe('contact columns', () => {
  test('hold what was put into them, for any number of contacts', () => {
    const property = fc.property(fc.nat(49_000), fc.array(row, { maxLength: 40 }), (day, rows) => {
      const bytes = fileOf(day, rows);
      expect(readContactColumns(bytes).day).toBe(day);
      expect(rowsOf(bytes)).toEqual(rows);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test('are laid out as the format says, in 32 bytes and 24 a contact', () => {
    const bytes = fileOf(20_514, [example, { ...example, lower: 1, flags: PARTIAL }]);
    expect(bytes.length).toBe(32 + 2 * 24);
    const view = new DataView(bytes.buffer);
    expect(Buffer.from(bytes.subarray(0, 4)).toString('latin1')).toBe('FBCC');
    expect([4, 8, 12].map((at) => view.getUint32(at, true))).toEqual([1, 20_514, 2]);
    expect([32, 36, 40, 44, 48].map((at) => view.getUint32(at, true))).toEqual([
      example.lower,
      1,
      example.upper,
      example.upper,
      example.start,
    ]);
    expect([56, 60, 64, 68, 72].map((at) => view.getUint16(at, true))).toEqual([
      example.duration,
      example.immediate,
      example.near,
      example.medium,
      example.other,
    ]);
    expect([...bytes.subarray(76)]).toEqual([0x17, 0x17, MUTUAL, PARTIAL]);
  });

  test('are read where they lie, and in memory that is shared', () => {
    const bytes = fileOf(7, [example]);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 8), 8);
    shared.set(bytes);
    const columns = readContactColumns(shared);
    expect(columns.upper[0]).toBe(example.upper);
    shared[32] = 9;
    expect(columns.lower[0]).toBe((example.lower & ~0xff) | 9);
  });

  test('are refused with any one bit turned over, or cut short, or with more behind them', () => {
    const bytes = fileOf(20_514, [example, example, example]);
    for (let bit = 0; bit < bytes.length * 8; bit++)
      expect(
        codeOf(() => readContactColumns(withFlippedBit(bytes, bit))),
        `bit ${bit}`,
      ).toBe(bit < 64 ? 'format' : 'damaged');
    for (let length = 0; length < bytes.length; length++)
      expect(codeOf(() => readContactColumns(bytes.slice(0, length)))).toBe(
        length < 32 ? 'format' : 'damaged',
      );
    expect(codeOf(() => readContactColumns(Uint8Array.from([...bytes, 0])))).toBe('damaged');
  });

  test('are refused before the memory is read that a wrong count asks for', () => {
    const bytes = fileOf(1, []);
    new DataView(bytes.buffer).setUint32(12, 0xffff_ffff, true);
    expect(codeOf(() => readContactColumns(bytes))).toBe('damaged');
  });

  test('are no columns at an odd place in memory, where they could not be read', () => {
    const bytes = fileOf(1, [example]);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    expect(codeOf(() => readContactColumns(moved.subarray(1)))).toBe('format');
  });
});
