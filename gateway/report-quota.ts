/**
 * How many reports each ephemeral ID has left at this gateway in the present epoch: who wears a tag, or a clone of one, must
 * not fill the spool and the ledger by coming again as soon as a session has ended. Three IDs of a tag pass the check of
 * the epoch (protocol.md §8), so a tag leaves at most three times as many. Pure; counts checked reports only, for an ID
 * is nobody's before that.
 */
import { toHex } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';

/** Also as many as one session takes: a tag that has been away for weeks has a few dozen. */
export const MAX_REPORTS = 128;
/** More tags than can come by in a quarter of an hour. */
const MAX_IDS = 32_768;

export class ReportQuota {
  #epoch: number | undefined;
  readonly #taken = new Map<string, number>();

  /** `epoch` is the gateway's own. Throws `busy` for an ID that has left its share, and for a new one beyond 32,768. */
  take(ephId: Uint8Array, epoch: number): void {
    if (this.#epoch !== epoch) this.#taken.clear();
    this.#epoch = epoch;
    const key = toHex(ephId);
    const taken = this.#taken.get(key) ?? 0;
    if (taken >= MAX_REPORTS) throw new FirebreakError('busy', 'enough reports of one tag for this epoch');
    if (taken === 0 && this.#taken.size >= MAX_IDS)
      throw new FirebreakError('busy', 'reports of more tags than can be counted');
    this.#taken.set(key, taken + 1);
  }
}
