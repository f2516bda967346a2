/**
 * Which days a tracer keeps, by the log alone: whoever reads the same log keeps the same days, in one life or in many.
 *
 * The border goes on with the log's own times from day to day, but a leap of these is no reason to forget: the
 * ledger dates by one clock, and never goes back, so one wrong reading would stand for as long as it leapt.
 * Across a leap the border goes as the issuer says that days ended (protocol.md §10, types 4 and 10), and with
 * the log's times again once these go on from there. It is never beyond what the log's own times allow.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { decodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { decodePruningPayload } from '../../protocol/payload/pruning.js';
import { dayOf, MAX_CLOCK_STEP_DAYS } from '../../protocol/time.js';
import type { LoggedEntry } from '../follow/payloads.js';

/** Of a payload that says of one day that it ended. */
const DAY_ENDED_BYTES = 29;

export interface BorderDays {
  /** What retention is counted back from; 0 before the first entry. */
  readonly day: number;
  /** The newest of the log's own times: later than `day` while the border is held back. */
  readonly logDay: number;
}

export class RetentionBorder {
  readonly #issuerId: Uint8Array;
  readonly #retentionDays: number;
  #day = 0;
  #logDay = 0;

  constructor(issuerPublicKey: Uint8Array, retentionDays: number) {
    this.#issuerId = partyIdOf(issuerPublicKey);
    this.#retentionDays = retentionDays;
  }

  get days(): BorderDays {
    return { day: this.#day, logDay: this.#logDay };
  }

  /** Of earlier days nothing is kept. */
  get firstDay(): number {
    return Math.max(0, this.#day - this.#retentionDays);
  }

  /** The first that would be kept if the log's own times were all there is to go by. */
  get firstLogDay(): number {
    return this.#logDay > this.#day ? Math.max(0, this.#logDay - this.#retentionDays) : 0;
  }

  /** As another life had it. */
  restore({ day, logDay }: BorderDays): void {
    this.#day = day;
    this.#logDay = logDay;
  }

  /** Whether the payload may say that a day ended: then it is wanted. */
  wants({ type, source, payloadLength }: LoggedEntry): boolean {
    const isOfDay = type === ENTRY_TYPE.dayKey || type === ENTRY_TYPE.pruning;
    return isOfDay && payloadLength === DAY_ENDED_BYTES && equalBytes(source, this.#issuerId);
  }

  /**
   * In the order of the log; `payload` is that of an entry that it {@link wants}. Gives whether the border has
   * moved.
   */
  take(entry: LoggedEntry, payload: Uint8Array | undefined): boolean {
    const before = this.#day;
    this.#passTo(dayOf(entry.appendedAtMs / 1000));
    const ended = payload && this.wants(entry) ? endedDay(entry.type, payload) : undefined;
    if (ended !== undefined && ended < this.#logDay - this.#retentionDays)
      this.#day = Math.max(this.#day, ended + 1 + this.#retentionDays);
    return this.#day > before;
  }

  /** A log in which nobody wrote for longer is believed once the issuer says that days ended. */
  #passTo(day: number): void {
    if (day <= this.#logDay) return;
    const isFirst = this.#logDay === 0;
    this.#logDay = day;
    if (isFirst || day - this.#day <= MAX_CLOCK_STEP_DAYS) this.#day = day;
  }
}

/** The day that the issuer says ended, if it says so. */
function endedDay(type: number, payload: Uint8Array): number | undefined {
  try {
    if (type === ENTRY_TYPE.pruning) return decodePruningPayload(payload).day;
    const said = decodeDayKeyPayload(payload);
    return said.kind === 'destroyed' ? said.day : undefined;
  } catch (error) {
    if (error instanceof FirebreakError) return undefined;
    throw error;
  }
}
