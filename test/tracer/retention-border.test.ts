/** By which days a tracer forgets: those of the log, unless these leapt, and those that the issuer says ended. */
import { describe, expect, it } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import { decodeEntry, ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { partyIdOf } from '../../protocol/keys.js';
import { silentLog } from '../../protocol/log.js';
import { encodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { encodePruningPayload } from '../../protocol/payload/pruning.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { RetentionBorder } from '../../tracer/intake/retention-border.js';
import type { Tracer } from '../../tracer/tracer.js';
import { standingIn } from './contacts/all-contacts.js';
import { gateway, gatewayEntry, issuer, keysOf, NOON, presenceOf, presenceReportOf, recordOf, reportOf } from './deployment.js'; // prettier-ignore
import { MemoryLog } from './memory-log.js';
import type { Appended } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const DAY = dayOf(NOON);
const RETENTION = 21;
const LEAP = 30;
const timeOf = (day: number): number => (NOON + (day - DAY) * DAY_SECONDS) * 1000;
const salt = new Uint8Array(16);
const issuerId = partyIdOf(issuer.publicKey);

const destroyed = (day: number, source = issuerId): Appended => ({
  type: ENTRY_TYPE.dayKey,
  source,
  payload: encodeDayKeyPayload({ kind: 'destroyed', salt, day, destroyedAtMs: asUnixMs(timeOf(day)) }),
});
const pruned = (day: number, source = issuerId): Appended => ({
  type: ENTRY_TYPE.pruning,
  source,
  payload: encodePruningPayload({ salt, day, prunedAtMs: asUnixMs(timeOf(day)) }),
});

/** A log of some days, in order: an entry of the day, or what is said on it. */
function borderAfter(...said: readonly (number | { readonly on: number; readonly what: Appended })[]) {
  const log = new MemoryLog();
  for (const one of said) {
    log.nowMs = timeOf(typeof one === 'number' ? one : one.on);
    if (typeof one === 'number') log.fill(1);
    else log.append(one.what);
  }
  const border = new RetentionBorder(issuer.publicKey, RETENTION);
  log.entries.forEach((bytes, index) => {
    const payload = said[index];
    border.take(
      { ...decodeEntry(bytes), index },
      typeof payload === 'object' ? payload.what.payload : undefined,
    );
  });
  return border.days;
}

describe('the border of retention', () => {
  it('goes on with the log from day to day, and over a gap of two days', () => {
    expect(borderAfter(DAY)).toEqual({ day: DAY, logDay: DAY });
    expect(borderAfter(DAY, DAY + 1, DAY + 3)).toEqual({ day: DAY + 3, logDay: DAY + 3 });
  });

  it('does not follow a leap, however many entries the ledger dates by it', () => {
    const days = { day: DAY, logDay: DAY + LEAP };
    expect(borderAfter(DAY, DAY + LEAP)).toEqual(days);
    expect(borderAfter(DAY, DAY + LEAP, DAY + LEAP, DAY + LEAP)).toEqual(days);
    expect(borderAfter(DAY, DAY + LEAP, DAY + LEAP + 1)).toEqual({ day: DAY, logDay: DAY + LEAP + 1 });
  });

  it.each([
    ['that the keys of a day are destroyed', destroyed],
    ['that its payloads are pruned', pruned],
  ])('follows the issuer who says %s', (_what, saying) => {
    const what = saying(DAY + 3 - RETENTION - 1);
    expect(borderAfter(DAY, DAY + LEAP, { on: DAY + LEAP, what }).day).toBe(DAY + 3);
  });

  it('follows nobody else, and nobody beyond what the log itself allows', () => {
    const day = DAY + 3 - RETENTION - 1;
    const other = destroyed(day, partyIdOf(gateway.publicKey));
    expect(borderAfter(DAY, DAY + LEAP, { on: DAY + LEAP, what: other }).day).toBe(DAY);
    expect(borderAfter(DAY, { on: DAY, what: destroyed(DAY) }).day).toBe(DAY);
    expect(borderAfter(DAY, { on: DAY, what: destroyed(DAY - RETENTION) }).day).toBe(DAY);
    expect(borderAfter(DAY, { on: DAY + 1, what: destroyed(DAY - RETENTION) }).day).toBe(DAY + 1);
  });

  it('goes with the log again once that is where the issuer is, and not a day before', () => {
    const leapt = DAY + LEAP;
    const endedOn = (day: number) => ({ on: leapt, what: pruned(day - RETENTION - 1) });
    const later = Array.from({ length: LEAP - 1 }, (_, k) => endedOn(DAY + 1 + k));
    expect(borderAfter(DAY, leapt, ...later, leapt)).toEqual({ day: leapt - 1, logDay: leapt });
    expect(borderAfter(DAY, leapt, ...later, leapt, leapt + 1)).toEqual({
      day: leapt + 1,
      logDay: leapt + 1,
    });
  });

  it('begins where the log does, be its first time right or not', () => {
    const after = borderAfter(3, DAY, DAY + 1);
    expect(after).toEqual({ day: 3, logDay: DAY + 1 });
    expect(borderAfter(3, DAY, { on: DAY + 22, what: pruned(DAY) }).day).toBe(DAY + 22);
  });
});

describe('a tracer whose ledger leapt ahead once', () => {
  const at = (day: number, tag: number, peer: number): Appended =>
    reportOf({
      tag,
      records: [recordOf(peer, NOON + day * DAY_SECONDS, 900)],
      at: NOON + day * DAY_SECONDS + 7200,
    });
  const keys = keysOf([DAY - 1, DAY, DAY + 1, DAY + 2]);
  const stays = (tracer: Tracer) => tracer.status().border;

  /** Noon's contact and stay, the leap, and what the next day tells, dated by the leap. */
  function leaptLog(): MemoryLog {
    const log = new MemoryLog();
    log.nowMs = NOON * 1000;
    log.append(gatewayEntry());
    log.append(at(0, 1, 2));
    log.append(presenceReportOf([presenceOf(1, NOON, 1800), presenceOf(7, NOON, 1800)]));
    log.nowMs = timeOf(DAY + LEAP);
    log.fill(1);
    log.append(at(1, 3, 4));
    return log;
  }
  const access = { record: async () => ({ index: 1, further: [], payload: salt, sharedSecret: salt }) };
  const reached = async (tracer: Tracer, tag: string): Promise<number> => {
    const window = { hops: 1, from: NOON - 9, to: NOON + 9 * DAY_SECONDS, minSeconds: 900, latentSeconds: 0 };
    const asked = { case: tag, direction: 'forward', presence: true, ...window } as const;
    return (await tracer.lookUp(asked, { officer: 'o', purpose: 'p' })).result.reachedCount;
  };

  it('forgets nothing by it, says so once, and says when it is over', async () => {
    const log = leaptLog();
    const said: string[] = [];
    const note = (words: string): void => void said.push(words);
    const tracer = tracerOn(log, { dayKeys: keys, access, log: { ...silentLog, warn: note, info: note } });
    for (let k = 0; k < 2; k++) await tracer.catchUp();
    expect(standingIn(tracer)).toHaveLength(2);
    expect(await reached(tracer, '1')).toBe(2);
    expect(said).toEqual([expect.stringContaining("the ledger's time leapt to")]);
    log.append(pruned(DAY + LEAP - RETENTION - 1));
    await tracer.catchUp();
    expect(stays(tracer)).toEqual({ day: DAY + LEAP, logDay: DAY + LEAP });
    expect(said.slice(1)).toEqual(['what was warned of is over']);
  });

  it('says nothing of a gap after which no contact would have to go', async () => {
    const log = new MemoryLog();
    log.nowMs = NOON * 1000;
    log.append(at(0, 1, 2));
    log.leapTo(timeOf(DAY + 5));
    const said: string[] = [];
    const tracer = tracerOn(log, {
      dayKeys: keys,
      log: { ...silentLog, warn: (words) => void said.push(words) },
    });
    await tracer.catchUp();
    expect(stays(tracer)).toEqual({ day: DAY, logDay: DAY + 5 });
    expect(said).toEqual([]);
  });

  it('forgets a day, contacts and stays, once the issuer says that it ended, and so does one begun anew', async () => {
    const log = leaptLog();
    const [tracer, anew] = [
      tracerOn(log, { dayKeys: keys, access }),
      tracerOn(log, { dayKeys: keys, access }),
    ];
    await tracer.catchUp();
    log.append(destroyed(DAY));
    for (const one of [tracer, anew]) {
      await one.catchUp();
      expect(standingIn(one)).toMatchObject([{ a: 3, b: 4 }]);
      await expect(reached(one, '1')).rejects.toMatchObject({ code: 'not-found' });
    }
    expect(anew.status()).toEqual(tracer.status());
  });
});
