/** A clock that leaps dates nothing: the ledger refuses as busy until it is mended, or a person says that it is right. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { AppendClock } from '../../ledger/sequence/append-clock.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import { refusalOf } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import { entriesOf } from '../../protocol/tlog/tile.js';
import {
  batchOf,
  ledgerDeps,
  noticeItem,
  NOW_MS,
  officer,
  openReceipt,
  standingClock,
  temporaryFolder,
} from './deployment.js';

const DAY_MS = 86_400_000;
const at = (days: number) => asUnixMs(NOW_MS + days * DAY_MS);

/** Ledgers on one folder, one after the other, by one clock; `said` is what a person said last. */
async function stage() {
  const dir = await temporaryFolder();
  const clock = standingClock();
  const errors: string[] = [];
  const log = { ...silentLog, error: (message: string) => void errors.push(message) };
  const word: { said?: number } = {};
  let ledger: Ledger | undefined;
  const start = async () => {
    await ledger?.close();
    ledger = await openLedger(ledgerDeps(dir, { clock, log, saidRightMs: () => word.said }));
    return ledger;
  };
  onTestFinished(() => ledger?.close());
  return { clock, errors, word, start };
}

/** Submits a batch: the index its entry got, or why the batch is refused. */
async function post(ledger: Ledger, seq: number): Promise<number | string | undefined> {
  const batch = batchOf(officer, seq, [noticeItem(`${seq}`)]);
  const [outcome] = openReceipt(await ledger.submit(batch), batch).outcomes;
  return outcome?.index ?? refusalOf(outcome?.reason ?? 0);
}

/** Days after {@link NOW_MS} that the entries are dated. */
async function datedDays(ledger: Ledger): Promise<number[]> {
  const { size } = ledger.status();
  const entries = entriesOf(await ledger.reader().entryBundle(0, size), size);
  return entries.map((entry) => (decodeEntry(entry).appendedAtMs - NOW_MS) / DAY_MS);
}

describe('a clock that leaps ahead', () => {
  test('while the ledger runs dates no entry; what was sent then is taken once it is mended', async () => {
    const { clock, errors, start } = await stage();
    const ledger = await start();
    expect(await post(ledger, 1)).toBe(0);
    clock.set(at(30));
    expect(await post(ledger, 2)).toBe('busy');
    expect(await post(ledger, 3)).toBe('busy');
    expect(ledger.status()).toMatchObject({
      size: 1,
      refusedBusy: 2,
      clockDoubt: { clockMs: at(30), newestMs: NOW_MS },
    });
    expect(errors).toEqual([expect.stringContaining('the clock leapt')]);
    clock.set(at(1));
    expect([await post(ledger, 2), await post(ledger, 3)]).toEqual([1, 2]);
    expect(await datedDays(ledger)).toEqual([0, 1, 1]);
    expect(ledger.status().clockDoubt).toBeUndefined();
  });

  test('before the ledger starts is said at the start, and believed on a person’s word', async () => {
    const { clock, errors, word, start } = await stage();
    await post(await start(), 1);
    clock.set(at(9));
    const ledger = await start();
    expect(errors).toHaveLength(1);
    expect(await post(ledger, 2)).toBe('busy');
    word.said = at(9);
    expect(await post(ledger, 2)).toBe(1);
    expect(await datedDays(ledger)).toEqual([0, 9]);
    clock.set(at(40));
    expect(await post(ledger, 3)).toBe('busy'); // the word was for another leap
  });

  test('is taken as time that passed where it did pass, however long nothing came', async () => {
    const { clock, errors, start } = await stage();
    const ledger = await start();
    await post(ledger, 1);
    clock.passTo(at(30));
    expect(await post(ledger, 2)).toBe(1);
    expect(errors).toEqual([]);
  });

  test('is none where the clock was behind the log meanwhile, and is right again', async () => {
    const { clock, errors, start } = await stage();
    const ledger = await start();
    await post(ledger, 1);
    clock.set(at(-30));
    expect(await post(ledger, 2)).toBe(1);
    clock.passTo(at(-25));
    expect(await post(ledger, 3)).toBe(2);
    clock.set(at(5));
    expect(await post(ledger, 4)).toBe(3);
    expect(errors).toEqual([]);
    clock.set(at(7.001));
    expect(await post(ledger, 5)).toBe('busy');
    expect(await datedDays(ledger)).toEqual([0, 0, 0, 5]);
  });

  test.each([
    ['no further than two days', 2, 1],
    ['further', 2.001, 'busy'],
  ])('over an outage: %s', async (_, days, answer) => {
    const { clock, start } = await stage();
    await post(await start(), 1);
    clock.set(at(days));
    expect(await post(await start(), 2)).toBe(answer);
  });

  test('is nothing to a log without entries', async () => {
    const { clock, start } = await stage();
    const ledger = await start();
    clock.set(at(30));
    expect(await post(ledger, 1)).toBe(0);
  });

  test('may leap by as much more as it runs faster than its machine’s', () => {
    const clock = standingClock();
    const newest = { size: asTreeSize(1), lastAppendedMs: NOW_MS };
    const fast = { ...clock, counter: { ...clock.counter, rate: 60 } };
    const judge = new AppendClock({ clock: fast, log: silentLog }, newest);
    clock.set(at(120));
    expect(judge.timeAfter(newest)).toBe(at(120));
    clock.set(at(241));
    expect(judge.timeAfter(newest)).toBeUndefined();
  });
});
