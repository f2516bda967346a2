import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PacketGate } from '../../ledger/packet-gate.js';

/** A packet of MQTT 3.1.1 §2.2 with a body of `length` bytes. */
function packet(length: number): Buffer {
  const header = [0x30];
  let rest = length;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    header.push(rest > 0 ? digit + 128 : digit);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0xff)]);
}

function accepts(gate: PacketGate, bytes: Buffer, cuts: readonly number[]): boolean {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  return ends.every((end) => {
    const part = bytes.subarray(start, end);
    start = end;
    return gate.accept(part);
  });
}

const cuts = fc.array(fc.nat(), { maxLength: 8 });

describe('the packet gate', () => {
  test('lets packets within the bound through, however they are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 6 }),
        cuts,
        (lengths, at) => {
          expect(accepts(new PacketGate(500, 500), Buffer.concat(lengths.map(packet)), at)).toBe(true);
        },
      ),
    );
  });

  test('stops at a packet over the bound, wherever it stands', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 4 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 201, max: 20_000 }), cuts, (before, over, at) => {
        expect(accepts(new PacketGate(200, 200), Buffer.concat([...before, over].map(packet)), at)).toBe(
          false,
        );
      }),
    );
  });

  test('has a bound of its own for the first packet', () => {
    const gate = new PacketGate(10, 100);
    expect(gate.accept(packet(10))).toBe(true);
    expect(gate.accept(packet(100))).toBe(true);
    expect(new PacketGate(10, 100).accept(packet(11))).toBe(false);
  });

  test('stops at a length of more than four bytes', () => {
    expect(new PacketGate(1e9, 1e9).accept(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80, 0x01]))).toBe(false);
  });
});
