import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PacketGate, type PacketRoom } from '../../ledger/broker/packet-gate.js';

const [PUBLISH, OTHERS] = [3, [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]];

/** A packet of MQTT 3.1.1 §2.2, a PUBLISH by default, with a body of `length` bytes. */
function packet(length: number, type = PUBLISH): Buffer {
  const header = [type << 4];
  let rest = length;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    header.push(rest > 0 ? digit + 128 : digit);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(header), Buffer.alloc(length, 0xff)]);
}

const ROOM: PacketRoom = { mayBegin: () => true, begun: () => {} };

/** Everything let through, or false. */
const letsThrough = (gate: PacketGate, bytes: Uint8Array): boolean => gate.take(bytes, ROOM) === bytes.length;

function accepts(gate: PacketGate, bytes: Buffer, cuts: readonly number[]): boolean {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  let start = 0;
  return ends.every((end) => {
    const part = bytes.subarray(start, end);
    start = end;
    return letsThrough(gate, part);
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
          expect(
            accepts(new PacketGate(500, 500), Buffer.concat(lengths.map((length) => packet(length))), at),
          ).toBe(true);
        },
      ),
    );
  });

  test('stops at a packet over the bound, wherever it stands', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 4 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 201, max: 20_000 }), cuts, (before, over, at) => {
        expect(
          accepts(
            new PacketGate(200, 200),
            Buffer.concat([...before, over].map((length) => packet(length))),
            at,
          ),
        ).toBe(false);
      }),
    );
  });

  test('has a bound of its own for the first packet', () => {
    const gate = new PacketGate(10, 100);
    expect(letsThrough(gate, packet(10))).toBe(true);
    expect(letsThrough(gate, packet(100))).toBe(true);
    expect(letsThrough(new PacketGate(10, 100), packet(11))).toBe(false);
  });

  test.each(OTHERS)('has the same bound for later packets of type %i, which carry no batch', (type) => {
    const gate = new PacketGate(10, 100);
    expect(letsThrough(gate, Buffer.concat([packet(10), packet(100), packet(10, type), packet(100)]))).toBe(
      true,
    );
    expect(letsThrough(gate, packet(11, type))).toBe(false);
  });

  test('stops at a length of more than four bytes', () => {
    expect(letsThrough(new PacketGate(1e9, 1e9), Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80, 0x01]))).toBe(
      false,
    );
  });

  test('stops before a packet that may not begin yet, and goes on there later', () => {
    const packets = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        packets,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 200 }),
        (lengths, each, cut) => {
          const gate = new PacketGate(500, 500);
          const bytes = Buffer.concat(lengths.map((length) => packet(length)));
          const seen: number[] = [];
          let left = each;
          const room: PacketRoom = {
            mayBegin: (type) => type === 3 && left-- > 0,
            begun: (_type, bodyBytes) => void seen.push(bodyBytes),
          };
          for (let at = 0; at < bytes.length;) {
            const before = seen.length;
            const taken = gate.take(bytes.subarray(at, at + cut), room) ?? NaN;
            at += taken;
            expect(seen.length - before).toBeLessThanOrEqual(each);
            if (taken < cut) left = each;
          }
          expect(seen).toEqual(lengths);
        },
      ),
    );
  });
});
