import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FirebreakError } from '../../../protocol/errors.js';
import { H4Stream } from '../../../radio/ble/h4-stream.js';
import { readEvent } from '../../../radio/ble/hci-packets.js';
import { AdvertisingGuard, keepPrivate } from '../../../radio/ble/private-commands.js';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** LE Advertising Report: connectable, random address c0ffee000001, three bytes of data, RSSI −70. */
const REPORT = hex('00 01 01 00 00 ee ff c0 03 02 01 06 ba');
const reportEvent = (count: number, ...reports: Buffer[]): Buffer => {
  const body = Buffer.concat([Buffer.of(0x02, count), ...reports]);
  return Buffer.concat([Buffer.of(0x04, 0x3e, body.length), body]);
};

describe('an HCI event', () => {
  it('tells of an advert with its address, payload and signal', () => {
    const event = readEvent(reportEvent(2, REPORT, Buffer.concat([REPORT.subarray(0, 12), Buffer.of(127)])));
    expect(event).toMatchObject({
      kind: 'adverts',
      reports: [
        { type: 0, isRandom: true, address: 'c0ffee000001', advert: Uint8Array.of(2, 1, 6), rssiDbm: -70 },
        { address: 'c0ffee000001', rssiDbm: undefined },
      ],
    });
  });

  it('keeps what stands before a malformed advert and drops the rest', () => {
    const tooLong = hex('00 01 01 00 00 ee ff c0 20 02 01 06 ba');
    expect(readEvent(reportEvent(3, REPORT, tooLong, REPORT))).toMatchObject({ reports: [{ type: 0 }] });
    expect(readEvent(reportEvent(9, REPORT.subarray(0, 8)))).toEqual({ kind: 'adverts', reports: [] });
  });

  it('never throws, however it is cut or made up', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 80 }),
        fc.constantFrom(0x05, 0x0e, 0x0f, 0x3e),
        (bytes, code) => {
          expect(readEvent(Buffer.from([4, code, bytes.length, ...bytes])).kind).toBeTypeOf('string');
        },
      ),
    );
  });
});

describe('a stream of H4', () => {
  it('gives the packets it was made of, wherever it is cut', () => {
    const packets = [reportEvent(1, REPORT), hex('02 2a 20 03 00 01 02 03'), hex('04 0e 04 01 03 0c 00')];
    const stream = Buffer.concat(packets);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 40 }), (lengths) => {
        const h4 = new H4Stream();
        let at = 0;
        const got = lengths.flatMap((length) => h4.push(stream.subarray(at, (at += length))));
        expect([...got, ...h4.push(stream.subarray(at))]).toEqual(packets);
      }),
    );
  });

  it('ends at a type of packet that no controller sends', () => {
    expect(() => new H4Stream().push(hex('01 03 0c 00'))).toThrow(FirebreakError);
  });
});

describe("a library's command", () => {
  const duty = { intervalMs: 100, windowMs: 30 };

  it('connects under a new random address each time', () => {
    const connect = hex('01 0d 20 19 60003000 00 01 010000eeffc0 00 0600 1200 0000 2a00 0400 0600');
    const [address, changed] = keepPrivate(connect, duty);
    const [another] = keepPrivate(connect, duty);
    expect(address?.subarray(0, 4)).toEqual(hex('01 05 20 06'));
    expect((address?.[9] ?? 0) >> 6).toBe(0b11); // static random: the two highest bits of the last byte
    expect(another).not.toEqual(address);
    const expected = Buffer.from(connect);
    expected[16] = 1; // own address type
    expect(changed).toEqual(expected);
  });

  it('scans passively, as long and as often as it should', () => {
    const [address, changed] = keepPrivate(hex('01 0b 20 07 01 1200 1200 00 00'), duty);
    expect(address?.subarray(0, 4)).toEqual(hex('01 05 20 06')); // the controller wants one to scan under
    expect(changed).toEqual(hex('01 0b 20 07 00 a000 3000 01 00'));
  });

  it('advertises under the random address', () => {
    const [changed] = keepPrivate(hex('01 06 20 0f a000 a000 00 00 00 000000000000 07 00'), duty);
    expect(changed).toEqual(hex('01 06 20 0f a000 a000 00 01 00 000000000000 07 00'));
  });

  it('passes as it is when it says nothing of addresses', () => {
    const enable = hex('01 0a 20 01 01');
    expect(keepPrivate(enable, duty)).toEqual([enable]);
  });
});

describe('advertising', () => {
  const address = hex('01 05 20 06 010000eeffc0');
  const asRandom = hex('01 06 20 0f a000 a000 00 01 00 000000000000 07 00');
  const asItself = hex('01 06 20 0f a000 a000 00 00 00 000000000000 07 00');
  const [on, off, reset] = [hex('01 0a 20 01 01'), hex('01 0a 20 01 00'), hex('01 03 0c 00')];

  it.each([
    ['an address was set and chosen', [address, asRandom], true],
    ['no address was set', [asRandom], false],
    ['the own address was chosen', [address, asItself], false],
    ['nothing was chosen', [address], false],
    ['the controller was reset since', [address, asRandom, reset], false],
  ])('is switched on only when it is private: %s', (_, before, passes) => {
    const guard = new AdvertisingGuard();
    for (const command of before) expect(guard.passes(command)).toBe(true);
    expect(guard.passes(on)).toBe(passes);
    expect(guard.passes(off)).toBe(true);
    guard.forget();
    expect(guard.passes(on)).toBe(false);
  });
});
