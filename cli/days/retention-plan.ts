/** What retention would end now: by the key files of the folder, and by what the ledger says it stores. */
import type { DayRecord } from '../../ledger/store/day-record.js';
import { askDays } from '../../ledger/http/days.js';
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { dayOf } from '../../protocol/time.js';
import { dayKeyFiles } from './day-key-files.js';
import { readKeyFile } from '../files/key-files.js';
import { findLedger, noLedger } from '../folder/ledger-place.js';
import type { Session } from '../folder/session.js';

/** A day that left the window and has not ended yet. */
export interface EndingDay {
  readonly day: number;
  readonly hasKeys: boolean;
  /** What the ledger stores of it; 0 when the ledger was not asked. */
  readonly payloads: number;
  readonly payloadBytes: number;
}

export interface RetentionPlan {
  readonly retentionDays: number;
  /** The first day of the window. */
  readonly oldest: number;
  readonly days: readonly EndingDay[];
  /**
   * Older days with payloads, of which there is no key file here, and the log does not say that their keys are destroyed: the
   * authority's word may wait for the ledger, or the file was lost, or it never had keys of them.
   */
  readonly unknown: readonly number[];
  /** Why the ledger could not be asked; absent when it was. */
  readonly unasked?: FirebreakError;
}

type Given = Pick<Session, 'folder' | 'config' | 'clock' | 'signal'>;

/** Reads only. Throws as {@link storedDays}, but for a ledger that cannot be asked. */
export async function planRetention({ folder, config, clock, signal }: Given): Promise<RetentionPlan> {
  const { retentionDays } = config.settings;
  const keyDays = await dayKeyFiles(folder.authority.dayKeys).list();
  const stored = await storedDays({ folder, signal }).catch(cannotBeAsked);
  const isUnasked = stored instanceof FirebreakError;
  const oldest = dayOf(clock.nowMs() / 1000) - retentionDays;
  return {
    retentionDays,
    oldest,
    ...(isUnasked && { unasked: stored }),
    ...ending(oldest, keyDays, isUnasked ? [] : stored),
  };
}

/** What the deployment's ledger stores, by day. Throws `unreachable` when none runs, and what asking one throws. */
export async function storedDays({
  folder,
  signal,
}: Pick<Session, 'folder' | 'signal'>): Promise<readonly DayRecord[]> {
  const ledger = await findLedger(folder);
  if (ledger === undefined) throw noLedger(folder);
  return askDays(ledger.http, toHex(await readKeyFile(folder.ledger.readToken)), signal);
}

/** For a `catch` behind {@link storedDays}: why a ledger is out of reach now. Throws what another try would not mend. */
export function cannotBeAsked(error: unknown): FirebreakError {
  if (error instanceof FirebreakError && error.code === 'unreachable') return error;
  throw error;
}

function ending(oldest: number, keyDays: readonly number[], stored: readonly DayRecord[]) {
  const held = new Set(keyDays.filter((day) => day < oldest));
  const unpruned = stored.filter(({ day, pruned }) => day < oldest && pruned === undefined);
  const byDay = new Map(unpruned.map((record) => [record.day, record]));
  const destroyed = unpruned.filter(({ destroyedBy }) => destroyedBy !== undefined).map(({ day }) => day);
  const all = [...new Set([...held, ...destroyed])].sort((a, b) => a - b);
  const days = all.map((day): EndingDay => {
    const { payloads = 0, payloadBytes = 0 } = byDay.get(day) ?? {};
    return { day, hasKeys: held.has(day), payloads, payloadBytes };
  });
  return { days, unknown: unpruned.map(({ day }) => day).filter((day) => !all.includes(day)) };
}
