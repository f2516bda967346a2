import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AclFrames, aclPacket } from '../../../radio/ble/acl-frames.js';

const HANDLE = 0x02a;

/** An ACL fragment as a controller sends it (Vol 4, Part E, 5.4.2): flags 2 begins, 1 continues. */
function fragment(flags: number, bytes: Uint8Array, handle = HANDLE): Buffer {
  const head = Buffer.from([2, 0, 0, 0, 0]);
  head.writeUInt16LE(handle | (flags << 12), 1);
  head.writeUInt16LE(bytes.length, 3);
  return Buffer.concat([head, bytes]);
}

function frame(channel: number, pdu: Uint8Array): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(pdu.length, 0);
  head.writeUInt16LE(channel, 2);
  return Buffer.concat([head, pdu]);
}

describe('ACL fragments', () => {
  it('become the frame they were cut from, wherever they were cut', () => {
    const pdus = fc.uint8Array({ minLength: 1, maxLength: 600 });
    fc.assert(
      fc.property(pdus, fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 6 }), (pdu, lengths) => {
        const frames = new AclFrames();
        let rest = frame(4, pdu);
        const cuts: Buffer[] = [];
        for (const length of lengths) {
          if (cuts.length === 0 && length < 4) continue; // a first fragment holds the L2CAP header
          if (length >= rest.length) break;
          cuts.push(rest.subarray(0, length));
          rest = rest.subarray(length);
        }
        const fragments = [...cuts, rest].map((bytes, i) => fragment(i === 0 ? 2 : 1, bytes));
        const outcomes = fragments.map((packet) => frames.take(packet));
        const whole = { kind: 'frame', handle: HANDLE, channel: 4, pdu: Buffer.from(pdu) };
        expect(outcomes.at(-1)).toEqual(whole);
        expect(outcomes.slice(0, -1).every(({ kind }) => kind === 'nothing')).toBe(true);
        expect(new AclFrames().take(aclPacket(HANDLE, 4, pdu))).toEqual(whole);
      }),
    );
  });

  it.each([
    [
      'is longer than it said',
      [fragment(2, frame(4, Buffer.alloc(5)).subarray(0, 6)), fragment(1, Buffer.alloc(9))],
    ],
    ['says it is longer than any attribute', [fragment(2, Buffer.from('ffff0400', 'hex'))]],
    ['says it is empty', [fragment(2, Buffer.from('00000400', 'hex'))]],
    ['has no header', [fragment(2, Buffer.from('0100', 'hex'))]],
  ])('are nonsense when the frame %s', (_, fragments) => {
    const frames = new AclFrames();
    expect(fragments.map((packet) => frames.take(packet)).at(-1)).toEqual({
      kind: 'nonsense',
      handle: HANDLE,
    });
  });

  it('are dropped on channels nobody uses, and when nothing began them', () => {
    const frames = new AclFrames();
    expect(frames.take(fragment(2, frame(6, Buffer.of(1))))).toEqual({ kind: 'nothing' }); // pairing
    expect(frames.take(fragment(1, Buffer.alloc(10)))).toEqual({ kind: 'nothing' });
    frames.take(fragment(2, frame(4, Buffer.alloc(9)).subarray(0, 6)));
    frames.forget(HANDLE);
    expect(frames.take(fragment(1, Buffer.alloc(7)))).toEqual({ kind: 'nothing' });
  });

  it('never throw and never hold more than a frame, whatever comes', () => {
    const packets = fc.array(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from([2, ...bytes])));
    fc.assert(
      fc.property(packets, (all) => {
        const frames = new AclFrames();
        for (const packet of all)
          expect(['frame', 'nothing', 'nonsense']).toContain(frames.take(packet).kind);
      }),
    );
  });
});
