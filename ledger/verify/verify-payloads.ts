/** What a verification finds out about payloads: how many are stored, pruned, damaged or lost. */
import { equalBytes } from '../../protocol/bytes.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { isPruned, type FoundPayload, type LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { IndexedEntry } from '../../protocol/tlog/log-verifier.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { undamagedPayloads } from '../../protocol/tlog/undamaged-payloads.js';
import { PrunedClaims, type PrunedCount } from './verify-pruned.js';

const MAX_LOST_NAMED = 100;
const MAX_DAMAGED_NAMED = 10;

export interface PayloadOptions {
  /** Also reads the payload of each entry, and holds it against the length and the hash that the entry names. */
  readonly payloads?: boolean;
  /** The deployment's window (protocol.md §8): which days a payload that is said to be pruned can be of. */
  readonly retentionDays?: number;
}

/** All but the first are 0 and empty unless payloads were asked for. */
export interface PayloadCounts {
  /** Entries by type (protocol.md §10). */
  readonly entriesByType: ReadonlyMap<number, number>;
  /** Payloads that are stored, as they were logged. */
  readonly payloads: number;
  /** Payloads pruned by an entry of the log that says so. */
  readonly pruned: readonly PrunedCount[];
  /** Payloads that are said to be pruned by an entry whose own payload is damaged: nobody can tell. */
  readonly unproven: number;
  /** Payloads that are stored and cannot be read, or are not what was logged. */
  readonly damaged: number;
  /** Indexes of entries whose payload is damaged, the first ten. */
  readonly withDamagedPayload: readonly number[];
  /** Payloads that are neither stored nor pruned: they are lost. */
  readonly lost: number;
  /** Indexes of entries whose payload is lost, the first hundred. */
  readonly withoutPayload: readonly number[];
}

/** Counts payloads in the course of one verification. */
export class PayloadTally {
  readonly #withDamagedPayload: number[] = [];
  readonly #entriesByType = new Map<number, number>();
  readonly #withoutPayload: number[] = [];
  readonly #pruned: PrunedClaims;
  readonly #withPayloads: boolean;
  #damaged = 0;
  #payloads = 0;
  #lost = 0;

  constructor({ payloads = false, retentionDays = DEFAULT_SETTINGS.retentionDays }: PayloadOptions) {
    this.#withPayloads = payloads;
    this.#pruned = new PrunedClaims(retentionDays);
  }

  /** The payloads damaged so far, in words; `undefined` when none is. */
  damageInWords(): string | undefined {
    return this.#damaged === 0 ? undefined : damagedInWords(this.#damaged, this.#withDamagedPayload);
  }

  /**
   * At most 256 entries. Throws `damaged` and `format` for what cannot be so in an honest log, and what the
   * reader throws.
   */
  async count(entries: readonly IndexedEntry[], reader: LedgerReader): Promise<void> {
    for (const { type } of entries) this.#entriesByType.set(type, (this.#entriesByType.get(type) ?? 0) + 1);
    if (!this.#withPayloads) return;
    const hashes = entries.map(({ payloadSha256 }) => payloadSha256);
    const { payloads, damaged } = await undamagedPayloads(reader, hashes);
    const isDamaged = new Set(damaged);
    entries.forEach((entry, i) => {
      if (isDamaged.has(i)) this.#countDamaged(entry);
      else this.#countPayload(entry, payloads[i]);
    });
  }

  /** Once all `size` entries were counted. Throws as {@link PrunedClaims.confirmed}. */
  summary(size: number): PayloadCounts {
    return {
      entriesByType: this.#entriesByType,
      payloads: this.#payloads,
      ...this.#pruned.confirmed(size),
      damaged: this.#damaged,
      withDamagedPayload: this.#withDamagedPayload,
      lost: this.#lost,
      withoutPayload: this.#withoutPayload,
    };
  }

  #countPayload(entry: IndexedEntry, found: FoundPayload): void {
    if (found === undefined) this.#countLost(entry);
    else if (isPruned(found)) this.#pruned.claim(entry, found);
    else if (found.length !== entry.payloadLength || !equalBytes(sha256(found), entry.payloadSha256))
      throw new FirebreakError(
        'damaged',
        `the payload of entry ${entry.index} is not the one that was logged`,
      );
    else {
      this.#payloads += 1;
      this.#pruned.see(entry, found);
    }
  }

  #countLost({ index }: IndexedEntry): void {
    this.#lost += 1;
    if (this.#lost <= MAX_LOST_NAMED) this.#withoutPayload.push(index);
  }

  #countDamaged(entry: IndexedEntry): void {
    this.#damaged += 1;
    if (this.#damaged <= MAX_DAMAGED_NAMED) this.#withDamagedPayload.push(entry.index);
    if (entry.type === ENTRY_TYPE.pruning) this.#pruned.seeDamaged(entry);
  }
}

/** "2 payloads are damaged: those of entries 3 10". */
export const damagedInWords = (count: number, indexes: readonly number[]): string =>
  `${count === 1 ? '1 payload is' : `${count} payloads are`} damaged: ${ofEntries(count, indexes)}`;

/** "2 payloads are neither stored nor pruned: those of entries 3 10". */
export const lostInWords = (count: number, indexes: readonly number[]): string =>
  `${count === 1 ? '1 payload is' : `${count} payloads are`} neither stored nor pruned: ${ofEntries(count, indexes)}`;

/** `indexes` are the first of `count`. */
function ofEntries(count: number, indexes: readonly number[]): string {
  const more = count > indexes.length ? ` and ${count - indexes.length} more` : '';
  return `${count === 1 ? 'that of entry' : 'those of entries'} ${indexes.join(' ')}${more}`;
}
