/**
 * What the entries of one commit change about days: the rules of pruning (protocol.md §13), and the day
 * records once the commit is stored. The log decides, never a report's own word: a day is pruned by the
 * issuer, after the log says that its keys are destroyed, and not before it left the retention window by the
 * time the entry is appended. Pure.
 */
import type { UnixMs } from '../../protocol/brands.js';
import type { Refusal } from '../../protocol/errors.js';
import { dayOf } from '../../protocol/time.js';
import type { CheckedItem, DayStatement } from './checked-batch.js';
import { newDayRecord, type DayRecord } from '../store/day-record.js';
import { KEPT_DAY } from '../store/store-keys.js';

export interface DayRules {
  /** The record of a day as of the last commit. */
  readonly find: (day: number) => DayRecord | undefined;
  /** Payloads of the day (appended day − retention days − 1) and before may be pruned. */
  readonly retentionDays: number;
}

interface Stored {
  payloads: number;
  bytes: number;
}

export class DayChanges {
  readonly #rules: DayRules;
  readonly #nowMs: UnixMs;
  /** Records of the days that the issuer spoke of in this commit. */
  readonly #ended = new Map<number, DayRecord>();
  /** What this commit stores for each day. */
  readonly #stored = new Map<number, Stored>();
  /** The day last asked for, when it is not pruned: reports of one day come one after another. */
  #openDay: number | undefined;

  constructor(rules: DayRules, nowMs: UnixMs) {
    this.#rules = rules;
    this.#nowMs = nowMs;
  }

  /** The records that this commit changes, as it leaves them. */
  get changed(): readonly DayRecord[] {
    const days = new Set([...this.#ended.keys(), ...this.#stored.keys()]);
    return [...days].map((day) => {
      const record = this.#recordOf(day);
      const { payloads = 0, bytes = 0 } = this.#stored.get(day) ?? {};
      return {
        ...record,
        payloads: record.payloads + payloads,
        payloadBytes: record.payloadBytes + bytes,
      };
    });
  }

  /** Index of the earlier entry that said the same of a day, if one did. */
  saidBefore({ statement }: CheckedItem): number | undefined {
    if (!isOfDay(statement)) return undefined;
    const { destroyedBy, pruned } = this.#recordOf(statement.day);
    return statement.kind === 'keys-destroyed' ? destroyedBy : pruned?.by;
  }

  /** Why the log as it stands does not take this item, if so. */
  refusalOf({ statement, retentionDay }: CheckedItem): Refusal | undefined {
    if (retentionDay !== KEPT_DAY && this.#isPruned(retentionDay)) return 'day';
    if (!isOfDay(statement) || statement.kind === 'keys-destroyed') return undefined;
    const isOld = statement.day < dayOf(this.#nowMs / 1000) - this.#rules.retentionDays;
    return isOld && this.#recordOf(statement.day).destroyedBy !== undefined ? undefined : 'day';
  }

  /** Notes an entry that is appended at `index`; `stored` says whether its payload is new to the store. */
  take({ statement, retentionDay, payload }: CheckedItem, index: number, stored: boolean): void {
    if (isOfDay(statement)) this.#note(statement, index);
    if (retentionDay === KEPT_DAY || !stored) return;
    let count = this.#stored.get(retentionDay);
    if (count === undefined) this.#stored.set(retentionDay, (count = { payloads: 0, bytes: 0 }));
    count.payloads += 1;
    count.bytes += payload.length;
  }

  #isPruned(day: number): boolean {
    if (day === this.#openDay) return false;
    const isPruned = this.#recordOf(day).pruned !== undefined;
    if (!isPruned) this.#openDay = day;
    return isPruned;
  }

  #note({ kind, day }: DayStatement, index: number): void {
    const record = this.#recordOf(day);
    const pruned = { by: index, atMs: this.#nowMs, removed: false };
    this.#openDay = undefined;
    this.#ended.set(
      day,
      kind === 'keys-destroyed' ? { ...record, destroyedBy: index } : { ...record, pruned },
    );
  }

  #recordOf(day: number): DayRecord {
    return this.#ended.get(day) ?? this.#rules.find(day) ?? newDayRecord(day);
  }
}

export function isOfDay(statement: CheckedItem['statement']): statement is DayStatement {
  return statement !== undefined && 'day' in statement;
}
