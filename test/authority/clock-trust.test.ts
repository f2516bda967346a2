/** A clock that leaps: nothing ends by it until a person or the log says that it is right, and all else goes on. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openAuthority, type AuthorityDeps } from '../../authority/authority.js';
import { withEntryOf, type LogDays } from '../../authority/days/clock-trust.js';
import { asTagNumber } from '../../protocol/brands.js';
import { partyIdOf } from '../../protocol/keys.js';
import { AskingTag, newAuthority, newWorld, RETENTION_DAYS, secretOf, TODAY, type World } from './fixture.js';

const LEAPT = TODAY + 400;
const GATEWAY = secretOf('gateway public key');
const errors = (world: World) =>
  world.logged.filter(({ level }) => level === 'error').map(({ message }) => message);
const daysWithKeys = async (world: World) => world.deps.dayKeys.list();

/** A log of entries of these days, as the authority knows it. */
const logOf = (...days: readonly number[]) =>
  days.reduce<LogDays | undefined>((known, day) => withEntryOf(day, known), undefined);
const everyDay = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, k) => from + k);

describe('a clock that leaps while the authority runs', () => {
  it('costs no key, is said once, and holds up nothing else', async () => {
    const { authority, world } = await newAuthority();
    const tag = new AskingTag('a');
    await authority.enrol(tag.firstRequest(TODAY, 7), asTagNumber(17));
    const before = await daysWithKeys(world);
    const keys = await world.deps.dayKeys.get(TODAY);
    world.clock.set(LEAPT);
    for (let round = 0; round < 3; round += 1) await authority.maintain();
    world.clock.set(LEAPT + 1);
    await authority.maintain();
    expect(errors(world)).toEqual([expect.stringContaining('authority retain --yes')]);
    expect(await daysWithKeys(world)).toEqual(expect.arrayContaining([...before]));
    await authority.addGateway(GATEWAY, 'north door');
    await authority.notify({ day: LEAPT, code: 1, tags: [] });
    expect(new AskingTag('b').open(await authority.enrol(new AskingTag('b').firstRequest(LEAPT, 1))).days)
      .toHaveLength(1); // prettier-ignore
    world.clock.set(TODAY);
    await authority.maintain();
    expect(await world.deps.dayKeys.get(TODAY)).toEqual(keys);
    await expect(authority.enrol(new AskingTag('z').firstRequest(TODAY, 7), asTagNumber(17))).rejects.toMatchObject(
      { code: 'exists' },
    ); // prettier-ignore
    expect((await authority.status()).ended).toEqual([]);
    await authority.close();
  });

  it('takes back no revocation', async () => {
    const { authority, world } = await newAuthority();
    await authority.addGateway(GATEWAY, 'north door');
    await authority.revokeGateway(partyIdOf(GATEWAY));
    world.clock.set(LEAPT);
    await authority.maintain();
    expect(await world.deps.records.count('revocation/')).toBe(1);
    await authority.close();
  });

  it('is said again when it leaps again', async () => {
    const { authority, world } = await newAuthority();
    for (const day of [LEAPT, TODAY, LEAPT]) {
      world.clock.set(day);
      await authority.maintain();
    }
    expect(errors(world)).toHaveLength(2);
    await authority.close();
  });

  it('ends days all the same when they pass one by one, or a weekend’s two', async () => {
    const { authority, world } = await newAuthority();
    for (let day = TODAY + 1; day <= TODAY + RETENTION_DAYS + 2; day += day % 2 === 0 ? 1 : 2) {
      world.clock.set(day);
      await authority.maintain();
    }
    expect((await authority.status()).ended.map(({ day }) => day)).toEqual([TODAY - 1, TODAY, TODAY + 1]);
    expect(errors(world)).toEqual([]);
    await authority.close();
  });
});

describe('an authority that was off for a month', () => {
  const BACK = TODAY + 31;
  async function back(deps: Partial<AuthorityDeps> = {}) {
    const world = newWorld(deps);
    await (await openAuthority({ ...world.deps, logDays: () => undefined })).close();
    world.clock.set(BACK);
    return { world, authority: await openAuthority(world.deps) };
  }

  it('starts, and ends no day before a person says that the clock is right', async () => {
    const { world, authority } = await back();
    await authority.maintain();
    expect((await authority.status()).ended).toEqual([]);
    expect(errors(world)).toHaveLength(1);
    await world.deps.workedDay.write(BACK);
    await authority.maintain();
    expect((await authority.status()).ended.map(({ day }) => day)).toEqual([TODAY - 1, TODAY, TODAY + 1]);
    await authority.close();
  });

  it('goes on when the log’s own times passed all these days', async () => {
    const log: { days?: LogDays | undefined } = {};
    const { world, authority } = await back({ logDays: () => log.days });
    expect((await authority.status()).ended).toEqual([]);
    log.days = logOf(...everyDay(TODAY - 100, BACK));
    await authority.maintain();
    expect((await authority.status()).ended).toHaveLength(3);
    expect(await world.deps.workedDay.read()).toBe(BACK);
    await authority.close();
  });

  it.each([
    ['leapt with the clock', logOf(...everyDay(TODAY - 9, TODAY), BACK)],
    ['has not come that far', logOf(...everyDay(TODAY - 9, BACK - 3))],
    ['is ahead', logOf(...everyDay(TODAY - 9, BACK + 3))],
    ['is empty', undefined],
  ])('does not go on by a log that %s', async (_, known) => {
    const { authority } = await back({ logDays: () => known });
    await authority.maintain();
    expect((await authority.status()).ended).toEqual([]);
    await authority.close();
  });
});

describe('an authority whose newest day is not noted', () => {
  it('takes the earliest day that its keys allow, and ends nothing by another', async () => {
    const world = newWorld();
    await (await openAuthority(world.deps)).close();
    const unnoted = newWorld({ dayKeys: world.deps.dayKeys, records: world.deps.records });
    unnoted.clock.set(TODAY + RETENTION_DAYS);
    const authority = await openAuthority(unnoted.deps);
    expect((await authority.status()).ended).toEqual([]);
    expect(errors(unnoted)).toHaveLength(1);
    await authority.close();
  });
});

describe('a young deployment of an earlier version, which noted no day', () => {
  async function begunAt(known: LogDays | undefined) {
    const world = newWorld();
    await (await openAuthority(world.deps)).close();
    const log = { days: undefined as LogDays | undefined };
    const unnoted = newWorld({
      ...{ dayKeys: world.deps.dayKeys, records: world.deps.records, logDays: () => log.days },
    });
    unnoted.clock.set(TODAY + 1);
    const authority = await openAuthority(unnoted.deps);
    expect(errors(unnoted)).toEqual([]); // the log is not read yet
    log.days = known;
    await authority.maintain();
    const noted = await unnoted.deps.workedDay.read();
    await authority.close();
    return { noted, said: errors(unnoted).length };
  }

  it('goes on once its log is read, which never leapt', async () => {
    expect(await begunAt(logOf(TODAY - 1, TODAY, TODAY + 1))).toEqual({ noted: TODAY + 1, said: 0 });
  });

  it('holds when its log leapt', async () => {
    expect(await begunAt(logOf(TODAY - 20, TODAY, TODAY + 1))).toEqual({ noted: undefined, said: 1 });
  });
});

describe('a clock that was ahead when the authority began', () => {
  it('is no licence when it is mended: the days between pass unbelieved, until a person says so', async () => {
    const world = newWorld();
    world.clock.set(LEAPT);
    const authority = await openAuthority(world.deps);
    for (const day of [TODAY, TODAY + 60]) {
      world.clock.set(day);
      await authority.maintain();
    }
    expect((await authority.status()).ended).toEqual([]);
    await world.leapTo(TODAY + 60);
    await authority.maintain();
    expect((await authority.status()).ended.map(({ day }) => day)).toEqual([TODAY - 1, TODAY, TODAY + 1]);
    await authority.close();
  });
});

describe('a day that cannot have keys', () => {
  it('is said once and passed over: the authority starts, and other days have theirs', async () => {
    const world = newWorld();
    await world.deps.dayKeys.destroy([TODAY]);
    const authority = await openAuthority(world.deps);
    for (let round = 0; round < 3; round += 1) await authority.maintain();
    expect(await daysWithKeys(world)).toEqual([TODAY - 1, TODAY + 1]);
    expect(errors(world)).toEqual(['a day has no keys, and is passed over']);
    await authority.close();
  });
});

describe('what is known of the log’s days', () => {
  it('is its newest one, and the first after its last leap', () => {
    const step = fc.integer({ min: 0, max: 5 });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        let day = 20_000;
        const days = steps.map((by) => (day += by));
        const leaps = days.filter((one, k) => k > 0 && one - (days[k - 1] ?? one) > 2);
        expect(logOf(...days)).toEqual({
          ...{ first: days[0], steadySince: leaps.at(-1) ?? days[0], newest: days.at(-1) },
        });
      }),
    );
  });
});
