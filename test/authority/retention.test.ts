/** The end of a day at the authority, against a real ledger: in which order, once, and whatever breaks in between. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openAuthority, type Authority } from '../../authority/authority.js';
import type { DayKeyStore } from '../../authority/days/day-key-store.js';
import type { EntrySink } from '../../authority/entries.js';
import type { RecordStore } from '../../authority/records/records.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { encodeBatch } from '../../protocol/mqtt/batch.js';
import { decodeEntry, ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { refusalOf, type Refusal } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { openLedgerReceipt } from '../../protocol/mqtt/ledger-receipt.js';
import { bytesOf } from '../../protocol/tlog/ledger-reader.js';
import { decodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { decodePruningPayload } from '../../protocol/payload/pruning.js';
import { entriesOf } from '../../protocol/tlog/tile.js';
import { ledgerDeps, receiptSigner, temporaryFolder } from '../ledger/deployment.js';
import { AskingTag, issuer, newWorld, RETENTION_DAYS, TODAY, type World } from './fixture.js';

const LATER = TODAY + RETENTION_DAYS;
const soon = () => AbortSignal.timeout(50_000);

/** Hands entries straight to a ledger, one batch each, and tells its receipts. */
function sinkTo(ledger: Ledger, firstSeq = 0): EntrySink {
  let seq = firstSeq;
  return {
    post: async (items) => {
      const batch = encodeBatch({ writerId: partyIdOf(issuer.publicKey), seq: (seq += 1), items }, issuer);
      const { outcomes } = openLedgerReceipt(await ledger.submit(batch), receiptSigner.publicKey);
      return outcomes.map(({ reason, index }) => ({
        delivered: async () =>
          index === null ? { index: undefined, refusal: refusalOf(reason) as Refusal } : { index },
      }));
    },
  };
}

interface Stage {
  readonly world: World;
  readonly ledger: Ledger;
}

async function stage(overrides: Parameters<typeof newWorld>[0] = {}): Promise<Stage> {
  const dir = await temporaryFolder();
  const courier: EntrySink = { post: (items) => sink.post(items) };
  const world = newWorld({ courier, ...overrides });
  const nowMs = () => world.clock.nowMs();
  const clock = { nowMs, sleep: async () => {}, counter: { nowMs, rate: 1 } };
  const types = [ENTRY_TYPE.gateway, ENTRY_TYPE.dayKey, ENTRY_TYPE.notices, ENTRY_TYPE.credentials];
  const writers = [{ publicKey: issuer.publicKey, types: [...types, ENTRY_TYPE.pruning] }];
  const given = { clock, issuerPublicKey: issuer.publicKey, retentionDays: RETENTION_DAYS, writers };
  const ledger = await openLedger(ledgerDeps(dir, given));
  const sink = sinkTo(ledger);
  onTestFinished(() => ledger.close());
  return { world, ledger };
}

/** What the log says of days, in order: "destroyed 20000", "pruned 20000". */
async function said(ledger: Ledger): Promise<string[]> {
  const { size } = ledger.status();
  if (size === 0) return [];
  const reader = ledger.reader();
  const entries = entriesOf(await reader.entryBundle(0, size), size).map(decodeEntry);
  const payloads = await reader.payloads(entries.map(({ payloadSha256 }) => payloadSha256));
  return entries.flatMap(({ type }, i) => {
    const payload = bytesOf(payloads[i]) ?? new Uint8Array();
    if (type === ENTRY_TYPE.pruning) return [`pruned ${decodePruningPayload(payload).day}`];
    const inside = type === ENTRY_TYPE.dayKey ? decodeDayKeyPayload(payload) : undefined;
    return inside?.kind === 'destroyed' ? [`destroyed ${inside.day}`] : [];
  });
}

describe('a day that left the window', () => {
  it('has its keys destroyed, then its payloads pruned, each by one entry', async () => {
    const { world, ledger } = await stage();
    const authority = await openAuthority(world.deps);
    await world.leapTo(LATER);
    const ended = await authority.retain(soon());
    expect(await said(ledger)).toEqual([`destroyed ${TODAY - 1}`, `pruned ${TODAY - 1}`]);
    expect(ended).toEqual([{ day: TODAY - 1, prunedBy: ledger.status().size - 1 }]);
    expect(await world.deps.dayKeys.get(TODAY - 1)).toBeUndefined();
    expect(ledger.days()).toMatchObject([{ day: TODAY - 1, pruned: { by: ended[0]?.prunedBy } }]);
    await authority.retain(soon());
    await authority.close();
    const again = await openAuthority(world.deps);
    expect(await again.retain(soon())).toEqual(ended);
    expect(await said(ledger)).toHaveLength(2);
    expect((await again.status()).ended).toEqual(ended);
    await again.close();
  });

  it('ends also when its key file is gone, and no other may take its place', async () => {
    const keysDir = await temporaryFolder();
    const { world, ledger } = await stage({ dayKeys: dayKeyFiles(keysDir) });
    const { dayKeys } = world.deps;
    const authority = await openAuthority(world.deps);
    const keys = await dayKeys.get(TODAY - 1);
    if (keys === undefined) throw new Error('there were no keys');
    await rm(join(keysDir, `${TODAY - 1}.key`));
    await world.leapTo(LATER);
    const ended = await authority.retain(soon());
    expect(ended).toEqual([{ day: TODAY - 1, prunedBy: expect.any(Number) as number }]);
    expect(await said(ledger)).toEqual([`destroyed ${TODAY - 1}`, `pruned ${TODAY - 1}`]);
    await expect(dayKeys.put(keys)).rejects.toMatchObject({ code: 'day' });
    await authority.retain(soon());
    expect(await said(ledger)).toHaveLength(2);
    await authority.close();
  });

  it('is one of many after a long pause, each ended in turn', async () => {
    const { world, ledger } = await stage();
    const authority = await openAuthority(world.deps);
    await world.leapTo(LATER + 5);
    const ended = await authority.retain(soon());
    expect(ended.map(({ day }) => day)).toEqual([TODAY - 1, TODAY, TODAY + 1]);
    expect(await said(ledger)).toHaveLength(6);
    expect(ledger.days().every(({ pruned }) => pruned !== undefined)).toBe(true);
    await authority.close();
  });

  it('is not certified, nor stated with other keys, again', async () => {
    const { world } = await stage();
    const keys = await openAuthority(world.deps).then(() => world.deps.dayKeys.get(TODAY - 1));
    await world.leapTo(LATER);
    const authority = await openAuthority(world.deps);
    await authority.retain(soon());
    if (keys === undefined) throw new Error('there were no keys');
    await expect(world.deps.dayKeys.put(keys)).rejects.toMatchObject({ code: 'day' });
    await authority.close();
  });
});

/** Every call that leaves something behind, counted; the one numbered `at` fails, before or after it took effect. */
function faults(at: number, when: 'not done' | 'done') {
  let calls = 0;
  const guard = async <T>(run: () => Promise<T>): Promise<T> => {
    const isFault = ++calls === at;
    if (isFault && when === 'not done') throw new Error('the disk did not answer');
    const result = await run();
    if (isFault) throw new Error('the disk did not answer');
    return result;
  };
  return {
    calls: () => calls,
    sink: (inner: EntrySink): EntrySink => ({ post: (items) => guard(() => inner.post(items)) }),
    records: (inner: RecordStore): RecordStore => ({
      ...inner,
      write: (changes) => guard(() => inner.write(changes)),
    }),
    keys: (inner: DayKeyStore): DayKeyStore => ({
      ...inner,
      destroy: (days) => guard(() => inner.destroy(days)),
    }),
  };
}

/** Ends a day with the call numbered `at` failing, then again from anew. Resolves how many calls the first try made. */
async function endDespite(at: number, when: 'not done' | 'done'): Promise<number> {
  const { world, ledger } = await stage();
  await (await openAuthority(world.deps)).close();
  await world.leapTo(LATER);
  const { records, dayKeys } = world.deps;
  const prepared = await openAuthority({ ...world.deps, retentionDays: 10_000 }); // makes today's keys, ends nothing
  await prepared.close();
  const broken = faults(at, when);
  const courier = broken.sink(sinkTo(ledger, 1_000));
  const deps = { ...world.deps, courier, records: broken.records(records), dayKeys: broken.keys(dayKeys) };
  const first: Authority | undefined = await openAuthority(deps).catch(() => undefined);
  await first?.retain(soon()).catch(() => undefined);
  await first?.close();

  const courierAgain = sinkTo(ledger, 2_000);
  const authority = await openAuthority({ ...world.deps, courier: courierAgain });
  const ended = await authority.retain(soon());
  const what = `call ${at}, ${when}`;
  expect(await said(ledger), what).toEqual([`destroyed ${TODAY - 1}`, `pruned ${TODAY - 1}`]);
  expect(ended, what).toEqual([{ day: TODAY - 1, prunedBy: ledger.days()[0]?.pruned?.by }]);
  expect(await dayKeys.get(TODAY - 1), what).toBeUndefined();
  await authority.close();
  return broken.calls();
}

describe('a day whose end is interrupted', () => {
  it.each(['not done', 'done'] as const)(
    'ends all the same, and has nothing twice in the log: each call that fails, %s',
    async (when) => {
      const calls = await endDespite(0, when);
      expect(calls).toBeGreaterThanOrEqual(5);
      for (let at = 1; at <= calls; at++) await endDespite(at, when);
    },
  );

  it('is asked for again only after a while when the ledger refuses, and that is said', async () => {
    const { world, ledger } = await stage();
    const posts: number[] = [];
    const sink = sinkTo(ledger);
    let refusing = true;
    const courier: EntrySink = {
      post: async (items) => {
        posts.push(...items.map(({ type }) => type));
        const isRefused = refusing && items[0]?.type === ENTRY_TYPE.pruning;
        if (!isRefused) return sink.post(items);
        return items.map(() => ({ delivered: async () => ({ index: undefined, refusal: 'type' as const }) }));
      },
    };
    const authority = await openAuthority({ ...world.deps, courier });
    const asked = () => posts.filter((type) => type === ENTRY_TYPE.pruning).length;
    await world.leapTo(LATER);
    await authority.retain(soon());
    await authority.retain(soon());
    expect(asked()).toBe(1);
    expect(world.logged.at(-1)).toMatchObject({ fields: { day: TODAY - 1, reason: 'type' } });
    refusing = false;
    await world.leapTo(LATER, 601);
    expect(await authority.retain(soon())).toMatchObject([
      { day: TODAY - 1, prunedBy: expect.any(Number) as number },
    ]);
    await authority.close();
  });

  it('is not asked for before a ledger whose clock is a little behind has that midnight too', async () => {
    const { world, ledger } = await stage();
    const sink = sinkTo(ledger);
    let asked = 0;
    const courier: EntrySink = {
      post: async (items) => {
        if (items[0]?.type !== ENTRY_TYPE.pruning) return sink.post(items);
        asked += 1;
        if (world.clock.nowMs() - 2_000 >= LATER * 86_400_000) return sink.post(items);
        return items.map(() => ({ delivered: async () => ({ index: undefined, refusal: 'day' as const }) }));
      },
    };
    const authority = await openAuthority({ ...world.deps, courier });
    await world.leapTo(LATER, 1);
    await authority.maintain();
    expect(asked).toBe(0);
    expect(await world.deps.dayKeys.get(TODAY - 1)).toBeUndefined();
    await world.leapTo(LATER, 600);
    await authority.maintain();
    await expect
      .poll(async () => (await authority.status()).ended)
      .toEqual([{ day: TODAY - 1, prunedBy: expect.any(Number) as number }]);
    expect(asked).toBe(1);
    await authority.close();
  });

  it('is asked for again when the clock went back meanwhile', async () => {
    const { world, ledger } = await stage();
    const sink = sinkTo(ledger);
    let refusing = true;
    const courier: EntrySink = {
      post: async (items) => {
        if (!refusing || items[0]?.type !== ENTRY_TYPE.pruning) return sink.post(items);
        return items.map(() => ({ delivered: async () => ({ index: undefined, refusal: 'day' as const }) }));
      },
    };
    const authority = await openAuthority({ ...world.deps, courier });
    await world.leapTo(LATER + 1);
    await authority.retain(soon()); // two days ahead of the ledger's clock, say
    refusing = false;
    world.clock.set(LATER);
    expect(await authority.retain(soon())).toContainEqual({
      day: TODAY - 1,
      prunedBy: expect.any(Number) as number,
    });
    await authority.close();
  });

  it('holds nobody up while the ledger is away', async () => {
    const { world, ledger } = await stage();
    const sink = sinkTo(ledger);
    const courier: EntrySink = {
      post: async (items) => {
        if (items[0]?.type !== ENTRY_TYPE.pruning) return sink.post(items);
        return items.map(() => ({ delivered: () => new Promise<never>(() => {}) }));
      },
    };
    const authority = await openAuthority({ ...world.deps, courier });
    await world.leapTo(LATER);
    await authority.maintain();
    await expect(authority.retain(AbortSignal.timeout(20))).rejects.toThrow('timeout');
    expect((await authority.status()).ended).toEqual([{ day: TODAY - 1, prunedBy: undefined }]);
    await authority.close();
  });
});

describe('copies of destroyed keys', () => {
  const aCopy = { found: [TODAY - 1], failure: new Error('one file is locked') };
  const said = (world: World) =>
    world.logged.filter(({ level }) => level !== 'info').map(({ level, fields }) => ({ level, fields }));

  it('that are found when a day ends are said, and what kept others from being removed, and no day is held up', async () => {
    const { world } = await stage();
    const { dayKeys } = world.deps;
    const asked: (readonly number[])[] = [];
    const destroy: DayKeyStore['destroy'] = async (days) => {
      asked.push(days);
      await dayKeys.destroy(days);
      return aCopy;
    };
    const authority = await openAuthority({ ...world.deps, dayKeys: { ...dayKeys, destroy } });
    await world.leapTo(LATER + 1);
    expect(await authority.retain(soon())).toHaveLength(2);
    expect(asked).toEqual([[TODAY - 1, TODAY]]); // one search for both
    expect(said(world)).toEqual([
      { level: 'warn', fields: { day: TODAY - 1 } },
      { level: 'error', fields: { why: 'Error: one file is locked' } },
    ]);
    await authority.close();
  });

  it('are looked for at the start, once, without keeping anybody waiting, and no longer than the authority runs', async () => {
    const { world } = await stage();
    let ended = 0;
    const signals: AbortSignal[] = [];
    const removeStray = async (signal: AbortSignal): Promise<never> => {
      signals.push(signal);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended += 1;
      throw new Error('stopped');
    };
    const dayKeys = { ...world.deps.dayKeys, removeStray };
    const authority = await openAuthority({ ...world.deps, dayKeys });
    await authority.maintain();
    expect(signals).toHaveLength(1);
    await authority.close();
    expect(ended).toBe(1);
    expect(said(world)).toEqual([]);
  });

  it('are looked for again in the next round when the destroying failed, which may have left the key file', async () => {
    const { world } = await stage();
    const { dayKeys } = world.deps;
    let searches = 0;
    const broken: DayKeyStore = {
      ...dayKeys,
      destroy: async (days) => {
        await dayKeys.destroy(days); // the store knows these days as destroyed, and names them no more
        throw new Error('the disk did not answer');
      },
      removeStray: async () => {
        searches += 1;
        return { found: [], failure: undefined };
      },
    };
    const authority = await openAuthority({ ...world.deps, dayKeys: broken });
    expect(searches).toBe(1); // at the start
    await world.leapTo(LATER);
    await expect(authority.maintain()).rejects.toThrow('the disk did not answer');
    await authority.maintain();
    await authority.maintain();
    expect(searches).toBe(2);
    await authority.close();
  });

  it('that are found at the start are said', async () => {
    const { world } = await stage();
    const dayKeys = { ...world.deps.dayKeys, removeStray: async () => aCopy };
    const authority = await openAuthority({ ...world.deps, dayKeys });
    await expect.poll(() => said(world)).toMatchObject([{ level: 'warn' }, { level: 'error' }]);
    await authority.close();
  });
});

describe('after the sunset', () => {
  const LAST = TODAY + 3;

  it('no day has keys, no tag is enrolled or renewed, and each is told why', async () => {
    const { world } = await stage({ sunsetDay: LAST + 1 });
    const authority = await openAuthority(world.deps);
    const tag = new AskingTag('a');
    const refused = { code: 'day', message: expect.stringContaining(`(day ${LAST})`) as string };
    await expect(authority.enrol(tag.firstRequest(TODAY, 5))).rejects.toMatchObject(refused);
    await expect(authority.enrol(tag.firstRequest(TODAY, 5))).rejects.toThrow('ask for 4 of these 5 days');
    const pack = tag.open(await authority.enrol(tag.firstRequest(TODAY, 4)));
    const renewal = tag.renewal(pack, TODAY, LAST, 2);
    await expect(authority.renew(renewal)).rejects.toMatchObject(refused);
    await world.leapTo(LAST + 1);
    await authority.maintain();
    await expect(authority.enrol(new AskingTag('b').firstRequest(LAST + 1, 1))).rejects.toMatchObject(
      refused,
    );
    expect(await world.deps.dayKeys.list()).toEqual([TODAY - 1, TODAY, TODAY + 1, TODAY + 2, LAST]);
    expect((await authority.status()).sunsetDay).toBe(LAST + 1);
    await authority.close();
  });

  it('the days that are left end like any other, until no keys are left', async () => {
    const { world, ledger } = await stage({ sunsetDay: TODAY + 1 });
    const authority = await openAuthority(world.deps);
    await world.leapTo(LATER + 2);
    await authority.retain(soon());
    expect(await authority.status()).toMatchObject({ days: [], ended: [{ day: TODAY - 1 }, { day: TODAY }] });
    expect(await said(ledger)).toHaveLength(4);
    await authority.close();
  });
});
