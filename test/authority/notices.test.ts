import { describe, expect, it } from 'vitest';
import { openAuthority, type Authority } from '../../authority/authority.js';
import type { Delivery } from '../../courier/deliveries.js';
import { asTagNumber } from '../../protocol/brands.js';
import { concat } from '../../protocol/bytes.js';
import { MAX_NOTICES, splitNotices } from '../../protocol/tag/notice-list.js';
import { hasToken, noticeToken, openNotice } from '../../protocol/tag/notice.js';
import { decodeNoticePayload } from '../../protocol/payload/notice.js';
import { NOTICES_TOPIC } from '../../protocol/mqtt/topics.js';
import { AskingTag, enrolled, issuer, newAuthority, RETENTION_DAYS, TODAY, type World } from './fixture.js';

const MEANT = [4242, 7, 188_900_966_474_565].map(asTagNumber);
/** Time enough for what comes, and too little for what does not. */
const enough = () => AbortSignal.timeout(50_000);
const soon = () => AbortSignal.timeout(20);

const payloads = (world: World) =>
  world.posted.filter(({ type }) => type === 8).map(({ payload }) => payload);
const onOffer = (world: World): number[] =>
  splitNotices(world.retained.get(NOTICES_TOPIC) ?? new Uint8Array()).map(
    (bytes) => openNotice(bytes, issuer.publicKey).number,
  );
/** Gives a notice and waits until it is out. */
async function give(authority: Authority, tags = MEANT, code = 1): Promise<number> {
  const { number } = await authority.notify({ day: TODAY, code, tags });
  expect(await authority.notified(number, enough())).toBe('out');
  return number;
}

async function withTags() {
  const made = await newAuthority();
  await enrolled(made.world, MEANT);
  return made;
}

describe('a notice', () => {
  it('holds the token that each tag meant makes of its own pack, and of no other tag', async () => {
    const { authority, world } = await newAuthority();
    await enrolled(world, MEANT.slice(1));
    const firstKey = async (asking: AskingTag, number: number) => {
      const pack = asking.open(await authority.enrol(asking.firstRequest(TODAY, 1), asTagNumber(number)));
      return pack.days[0]?.epochs[0]?.authKey ?? new Uint8Array();
    };
    const [meantKey, otherKey] = [
      await firstKey(new AskingTag('a'), 4242),
      await firstKey(new AskingTag('b'), 5),
    ];
    const { notice: bytes, number } = await authority.notify({ day: TODAY, code: 2, tags: MEANT });
    const notice = openNotice(bytes, issuer.publicKey);
    expect(notice).toMatchObject({ day: TODAY, number: 1, code: 2 });
    expect(notice.tokens).toHaveLength(4);
    expect(hasToken(notice, noticeToken(meantKey, 1, 2))).toBe(true);
    expect(hasToken(notice, noticeToken(otherKey, 1, 2))).toBe(false);
    expect(await authority.notified(number, enough())).toBe('out');
    expect(world.retained.get(NOTICES_TOPIC)).toEqual(bytes);
    expect(decodeNoticePayload(payloads(world)[0] ?? new Uint8Array()).notice).toEqual(bytes);
  });

  it('counts a tag named twice once', async () => {
    const { authority } = await withTags();
    const tags = [...MEANT.slice(0, 2), ...MEANT.slice(0, 2)];
    const { notice } = await authority.notify({ day: TODAY, code: 1, tags });
    expect(openNotice(notice, issuer.publicKey).tokens).toHaveLength(2);
  });

  it('names as many tags as a ledger payload has room for, and no more', async () => {
    const { authority, world } = await newAuthority();
    const tags = Array.from({ length: 4097 }, (_, index) => asTagNumber(index));
    await enrolled(world, tags);
    await authority.notify({ day: TODAY, code: 1, tags: tags.slice(1) });
    const payload = payloads(world)[0];
    expect(payload?.length).toBeGreaterThan(32_768);
    expect(payload?.length).toBeLessThanOrEqual(65_536);
    await expect(authority.notify({ day: TODAY, code: 1, tags })).rejects.toMatchObject({ code: 'full' });
  });

  it('of a day without keys is refused', async () => {
    const { authority } = await withTags();
    const order = { day: TODAY + 3, code: 1, tags: MEANT };
    await expect(authority.notify(order)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('for a tag that was never enrolled is refused whole', async () => {
    const { authority, world } = await withTags();
    const tags = [...MEANT, asTagNumber(99)];
    const given = authority.notify({ day: TODAY, code: 1, tags });
    await expect(given).rejects.toMatchObject({ code: 'not-found' });
    await expect(given).rejects.toThrow('no tag 99 was ever enrolled: nothing was done');
    expect(payloads(world)).toEqual([]);
  });

  it('says which tags have no credentials of its day, and cannot tell that it is for them', async () => {
    const { authority, world } = await withTags();
    await enrolled(world, [asTagNumber(5)], TODAY - 8);
    const { unreachable } = await authority.notify({ day: TODAY, code: 1, tags: [...MEANT, asTagNumber(5)] });
    expect(unreachable).toEqual([5]);
  });
});

describe('notices on offer', () => {
  it('are all of them, the newest first, also after a restart', async () => {
    const { authority, world } = await withTags();
    await Promise.all([1, 2].map((code) => give(authority, MEANT, code)));
    await authority.close();
    world.retained.clear();
    const again = await openAuthority(world.deps);
    expect(await give(again, [], 3)).toBe(3);
    expect(onOffer(world)).toEqual([3, 2, 1]);
    expect(await again.status()).toMatchObject({
      lastNotice: { number: 3, state: 'logged' },
      noticesOnOffer: 3,
    });
  });

  it('leave when no tag can know itself in them, not before, and no number is given twice', async () => {
    const { authority, world } = await withTags();
    await give(authority);
    for (const [day, offered] of [
      [TODAY + RETENTION_DAYS, [1]],
      [TODAY + RETENTION_DAYS + 1, []],
    ] as const) {
      await world.leapTo(day);
      await authority.maintain();
      await authority.published();
      expect(onOffer(world)).toEqual(offered);
    }
    const day = TODAY + RETENTION_DAYS + 1;
    expect((await authority.notify({ day, code: 1, tags: [] })).number).toBe(2);
  });

  it('that are as many as there is room for keep one more out, unless the officer lets the oldest go', async () => {
    const { authority, world } = await withTags();
    for (let k = 0; k < MAX_NOTICES; k += 1) await authority.notify({ day: TODAY, code: 1, tags: [] });
    const order = { day: TODAY, code: 1, tags: MEANT };
    await expect(authority.notify(order)).rejects.toMatchObject({ code: 'full' });
    await expect(authority.notify(order)).rejects.toThrow('(notices 1)');
    const notified = await authority.notify({ ...order, dropOldest: true });
    expect(notified).toMatchObject({ dropped: [1], held: MAX_NOTICES });
    expect(await authority.notified(notified.number, enough())).toBe('out');
    expect(onOffer(world)).toEqual(Array.from({ length: MAX_NOTICES }, (_, k) => notified.number - k));
  });

  it('of an earlier version stay, with the numbers after them', async () => {
    const { authority, world } = await withTags();
    const { notice } = await authority.notify({ day: TODAY, code: 1, tags: MEANT });
    const records = [
      ['notices/00000001', undefined],
      ['notice/latest', concat(Uint8Array.of(0, 0, 0, 1), notice)],
    ] as const;
    await world.deps.records.write(records);
    expect(await authority.status()).toMatchObject({
      lastNotice: { number: 1, givenMs: 0, state: 'logged' },
    });
    expect(await give(authority)).toBe(2);
    expect(onOffer(world)).toEqual([2, 1]);
  });
});

describe('a notice without the ledger', () => {
  it('is waited for no longer than was asked, also while a broker takes what it is given and says nothing', async () => {
    const uplink = { publishRetained: () => new Promise<void>(() => {}), onOnline: () => {} };
    const { authority, world } = await newAuthority({ uplink });
    await enrolled(world, MEANT);
    const { number } = await authority.notify({ day: TODAY, code: 1, tags: MEANT });
    await expect.poll(async () => (await authority.status()).noticesOnOffer).toBe(1);
    expect(await authority.notified(number, AbortSignal.timeout(200))).toBe('logged');
  }, 10_000);

  it('goes out to nobody until its entry is in the log', async () => {
    const { authority, world } = await withTags();
    let answer: (delivery: Delivery) => void = () => undefined;
    world.ledger = () => new Promise((resolve) => (answer = resolve));
    const { number } = await authority.notify({ day: TODAY, code: 1, tags: MEANT });
    expect(await authority.notified(number, soon())).toBe('waits');
    world.back();
    await authority.published();
    expect(onOffer(world)).toEqual([]);
    expect(await authority.status()).toMatchObject({ noticesWaiting: 1, noticesOnOffer: 0 });
    answer({ index: 7 });
    expect(await authority.notified(number, enough())).toBe('out');
    expect(onOffer(world)).toEqual([1]);
  });

  it('goes out after a restart', async () => {
    const { authority, world } = await withTags();
    const reach = world.ledger;
    world.ledger = () => new Promise(() => {});
    await authority.notify({ day: TODAY, code: 1, tags: MEANT });
    await authority.close();
    world.ledger = reach;
    const again = await openAuthority(world.deps);
    expect(await again.notified(1, enough())).toBe('out');
    expect(onOffer(world)).toEqual([1]);
    const [first, second] = payloads(world).map((payload) => decodeNoticePayload(payload).notice);
    expect(second).toEqual(first);
  });

  it('that refuses it goes out to nobody, and leaves its room to others', async () => {
    const { authority, world } = await withTags();
    world.ledger = async () => ({ index: undefined, refusal: 'type' });
    const { number } = await authority.notify({ day: TODAY, code: 1, tags: MEANT });
    expect(await authority.notified(number, enough())).toBe('refused');
    expect(onOffer(world)).toEqual([]);
    expect(world.logged.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  it('and without room to keep it is not given', async () => {
    const { authority, world } = await withTags();
    world.posted.push = () => {
      throw new Error('the spool is full');
    };
    await expect(authority.notify({ day: TODAY, code: 1, tags: MEANT })).rejects.toThrow('the spool is full');
    expect(await authority.status()).toMatchObject({ lastNotice: undefined, noticesWaiting: 0 });
  });
});
