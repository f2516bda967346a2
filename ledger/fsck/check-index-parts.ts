/**
 * The parts of the payload index (payload-parts.ts), each held against the entries: its filter is that of their
 * payloads to the bit, and it leads to the values that hold their records. Of what an older folder began with, and of the
 * first filter behind that, it is only known that it must not deny a payload.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { RECORDS_A_VALUE } from '../store/payload-buckets.js';
import { PayloadFilter } from '../store/payload-filter.js';
import { PartsReader, type Part, type Reach } from '../store/payload-parts.js';
import { bucketOf, BUCKETS } from '../store/payload-table.js';
import { OLD_INDEX_KEY } from '../store/store-keys.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Findings } from './findings.js';
import type { Step } from './pace.js';
import type { RowView } from './row-view.js';

/** Entries between two looks at the time. */
const ENTRIES_A_STEP = 4096;

export interface IndexCheckInput {
  readonly rows: RowView;
  readonly findings: Findings;
  readonly columns: EntryColumns;
  /** Payloads of the entries before this one must be in the index, by the state row. */
  readonly indexedTo: number;
  readonly pace: Step;
}

export interface StoredParts {
  readonly parts: readonly Part[];
  readonly filters: readonly Uint8Array[];
}

/** `undefined` when there are none that can be used, which is found where there should be. */
export function readParts({ rows, findings, indexedTo }: IndexCheckInput): StoredParts | undefined {
  const damage = (what: string): void => findings.damage('payload index', what);
  try {
    const reader = new PartsReader(rows.get(OLD_INDEX_KEY));
    for (const { key, value } of rows.ofKind('i')) {
      if (Buffer.from(key).readUInt32BE(1) !== reader.parts.length) damage('a filter of it is missing');
      reader.add(value);
    }
    const last = reader.parts.at(-1);
    if (last === undefined && indexedTo > 0) damage('its filters are missing');
    if (last?.reach !== undefined && last.reach.before < indexedTo) damage('its last filter is missing');
    return last && reader;
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    damage(error.message);
    return undefined;
  }
}

/** Goes over the entries, and makes each part again from those that are its own. */
class PartsCheck {
  readonly #input: IndexCheckInput;
  readonly #stored: StoredParts;
  /** Payloads of each bucket so far; `undefined` once an entry is not known, and with it what the parts must be. */
  #counts: Uint32Array | undefined = new Uint32Array(BUCKETS);
  /** The part that the next entry is of, or an older one that nobody knows the end of. */
  #number: number;
  /** What may have its payload. */
  #kept: PayloadFilter;
  /** The filter as it must be. */
  #again = new PayloadFilter();
  #beginsKnown: boolean;
  #denied = false;

  constructor(input: IndexCheckInput, stored: StoredParts) {
    this.#input = input;
    this.#stored = stored;
    const { parts, filters } = stored;
    const older = parts.filter(({ reach }) => reach === undefined).length;
    this.#number = older;
    this.#beginsKnown = older === 0;
    this.#kept = new PayloadFilter(filters.slice(0, older + 1));
  }

  /** To be called for each entry, with the first one that is not in the index as the last. */
  reach(index: number): void {
    const { parts, filters } = this.#stored;
    const part = parts[this.#number];
    if (part?.reach?.before !== index) return;
    this.#checkPart(part, part.reach);
    this.#number += 1;
    this.#kept = new PayloadFilter(filters.slice(this.#number, this.#number + 1));
    this.#again = new PayloadFilter();
    this.#beginsKnown = true;
    this.#denied = false;
  }

  add(index: number): void {
    const { columns } = this.#input;
    if (!columns.has(index, MARK.known)) this.#counts = undefined;
    if (!columns.has(index, MARK.known | MARK.first)) return;
    const hash = columns.hashOf(index);
    this.#again.add(hash);
    const bucket = bucketOf(hash);
    if (this.#counts !== undefined) this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
    if (this.#kept.mayHave(hash)) return;
    this.#denied = true;
    this.#damage('has a payload that the filters of the payload index deny', index);
  }

  /** To be called at the end. */
  checkRest(): void {
    const rest = this.#stored.parts.slice(this.#number);
    rest.forEach(({ reach }, i) => {
      if (reach === undefined) return;
      this.#damage(
        `filter ${this.#number + i} of it is said to reach to entry ${reach.before - 1}, and does not`,
      );
    });
  }

  #checkPart({ tails }: Part, { hashes }: Reach): void {
    const counts = this.#counts;
    if (counts === undefined) return;
    const name = `filter ${this.#number} of it`;
    const astray = tails.findIndex(
      (tail, b) => tail !== Math.ceil((counts[b] as number) / RECORDS_A_VALUE) - 1,
    );
    if (astray !== -1) this.#damage(`${name} leads to other values of bucket ${astray} than it fills`);
    if (!this.#beginsKnown) return;
    const { bytes, hashes: counted } = this.#again.newest();
    if (hashes !== counted) this.#damage(`${name} is said to hold ${hashes} payloads, and holds ${counted}`);
    if (!this.#denied && !equalBytes(bytes, this.#stored.filters[this.#number] as Uint8Array))
      this.#damage(`${name} is not that of its payloads`);
  }

  #damage(what: string, index?: number): void {
    this.#input.findings.damage('payload index', what, index === undefined ? {} : { index });
  }
}

/** Holds the parts, and what the records were marked as, against the entries. */
export async function checkParts(input: IndexCheckInput, stored: StoredParts | undefined): Promise<void> {
  const { columns, findings, pace } = input;
  const check = stored && new PartsCheck(input, stored);
  const reached = Math.max(input.indexedTo, stored?.parts.at(-1)?.reach?.before ?? 0);
  const end = Math.min(columns.size, reached);
  for (let index = 0; index < end; index++) {
    check?.reach(index);
    if (columns.has(index, MARK.known | MARK.first) && !columns.has(index, MARK.indexed))
      findings.damage('payload index', 'is not in the payload index', { index });
    check?.add(index);
    if (index % ENTRIES_A_STEP === 0) await pace(index, end);
  }
  check?.reach(end);
  check?.checkRest();
}
