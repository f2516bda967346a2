import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNotices } from '../../firmware-sim/live/refresh-client.js';
import { concat } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { joinNotices } from '../../protocol/tag/notice-list.js';
import { signNotice } from '../../protocol/tag/notice.js';
import type { Link } from '../../radio/contract.js';
import { seededRandom } from '../../radio/random.js';
import { testAuthority } from './test-authority.js';
import { testGateway } from './test-gateway.js';
import { NOON_MS } from './test-tag.js';

const authority = testAuthority();
const filling = seededRandom('tokens');

/** Newest first, numbered from their count down to 1. */
function noticesOf(counts: readonly number[]): readonly Uint8Array[] {
  return counts.map((count, k) => {
    const tokens = Array.from({ length: count }, () => filling.bytes(8));
    const head = { day: 20_000, number: counts.length - k, code: 1 };
    return signNotice(authority.issuer, { ...head, tokens }, (length) => filling.bytes(length));
  });
}

/** A gateway with these on offer, and every offset that it was asked for. A link breaks after so many reads. */
function offering(list: Uint8Array) {
  const gateway = testGateway(authority, () => NOON_MS);
  gateway.refresh = { notices: list };
  const offsets: number[] = [];
  const connect = (readsLeft = Infinity): Link => {
    const link = gateway.connect();
    let left = readsLeft;
    return {
      ...link,
      payloadBytes: link.payloadBytes,
      write: (characteristic, value) => {
        offsets.push(new DataView(value.buffer, value.byteOffset).getUint32(1));
        return link.write(characteristic, value);
      },
      read: async (characteristic) => {
        left -= 1;
        if (left < 0) throw new FirebreakError('closed', 'the link broke');
        return link.read(characteristic);
      },
    };
  };
  return { connect, offsets };
}

/** The numbers of the notices that were read before the session ended, in their order. */
async function visit(link: Link, random: (length: number) => Uint8Array): Promise<readonly number[]> {
  const numbers: number[] = [];
  try {
    for await (const { number } of readNotices(link, authority.issuer.publicKey, random))
      numbers.push(number);
  } catch (error) {
    if (!(error instanceof FirebreakError && error.code === 'closed')) throw error;
  }
  return numbers;
}

describe('a list of notices that is longer than a session', () => {
  it('is read whole in several visits, though each breaks off a third of the way', async () => {
    const { connect } = offering(joinNotices(noticesOf([256, 256, 512, 256, 256, 256, 512, 256])));
    const random = seededRandom('visits');
    const read = new Set<number>();
    for (let k = 0; k < 40; k += 1)
      for (const number of await visit(connect(16), (length) => random.bytes(length))) read.add(number);
    expect([...read].sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('is read from the newest on in about every other visit', async () => {
    const { connect } = offering(joinNotices(noticesOf([256, 256, 256, 256, 256, 256])));
    const random = seededRandom('newest');
    let fromNewest = 0;
    for (let k = 0; k < 100; k += 1)
      fromNewest += (await visit(connect(6), (length) => random.bytes(length)))[0] === 6 ? 1 : 0;
    expect(fromNewest).toBeGreaterThan(35);
    expect(fromNewest).toBeLessThan(70);
  });
});

describe('a list of notices in a session that lasts', () => {
  const notices = noticesOf([64, 1, 128, 1, 2, 256, 32]);
  const list = joinNotices(notices);

  it('is read whole wherever the tag begins, each notice once, for two exchanges more at most', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 5, maxLength: 5 }), async (drawn) => {
        const { connect, offsets } = offering(list);
        const numbers = await visit(connect(), () => drawn);
        expect(numbers.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
        expect(offsets.length).toBeLessThanOrEqual(Math.ceil(list.length / 508) + 2);
      }),
      { numRuns: 60 },
    );
  });

  it('goes round in the order of the list', async () => {
    const inTheThird = Uint8Array.of(1, ...shareOf(700 / list.length));
    const { connect, offsets } = offering(list);
    expect(await visit(connect(), () => inTheThird)).toEqual([4, 3, 2, 1, 7, 6, 5]);
    expect(offsets.slice(0, 2)).toEqual([0, 700]);
  });

  it('takes no draw when one exchange brings all of it', async () => {
    const { connect, offsets } = offering(joinNotices(noticesOf([8, 4])));
    const refuse = (): never => {
      throw new RangeError('nothing is to be drawn');
    };
    expect(await visit(connect(), refuse)).toEqual([2, 1]);
    expect(offsets).toEqual([0]);
  });

  it('is not put together of two lists, by a gateway that changes what it hands out', async () => {
    const gateway = testGateway(authority, () => NOON_MS);
    gateway.refresh = { notices: list };
    const link = gateway.connect();
    const changing: Link = {
      ...link,
      payloadBytes: link.payloadBytes,
      read: async (characteristic) => {
        const slice = await link.read(characteristic);
        gateway.refresh = { notices: joinNotices(noticesOf([8, 64, 1, 128, 1, 2, 256, 32])) };
        return slice;
      },
    };
    await expect(visit(changing, () => new Uint8Array(5))).rejects.toThrow(
      'the gateway changed what it hands out',
    );
  });

  it('is not taken from a gateway that hides a notice in the middle of another', async () => {
    const [whole = new Uint8Array(0)] = noticesOf([512]);
    const forged = concat(whole.subarray(0, 900), whole.subarray(0, 5), whole.subarray(905));
    const { connect } = offering(forged);
    const read = visit(connect(), () => Uint8Array.of(1, ...shareOf(800 / forged.length)));
    await expect(read).rejects.toMatchObject({ code: expect.stringMatching(/format|signature/) as unknown });
  });
});

/** What is drawn for this share of the list. */
function shareOf(share: number): Uint8Array {
  const drawn = new Uint8Array(4);
  new DataView(drawn.buffer).setUint32(0, Math.ceil(share * 2 ** 32));
  return drawn;
}
