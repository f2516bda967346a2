/**
 * Payloads: each that is new to the log is stored once, under its entry and in the file of its day, with the
 * bytes of its hash; and nothing else is stored.
 */
import { payloadPathOf } from '../store/folder.js';
import { PAYLOAD_HEAD_BYTES } from '../store/store-payloads.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import { eachRow, type Step } from './pace.js';
import { PayloadFaults, type PayloadFault } from './payload-faults.js';
import { PayloadRecords, type PlacedPayload } from './payload-records.js';
import type { PayloadSource } from './payload-source.js';
import type { RowView } from './row-view.js';
import { wrongPayload } from './wrong-payload.js';

export interface PayloadCheckInput {
  readonly rows: RowView;
  readonly source: PayloadSource;
  /** Names of the files that are there. */
  readonly files: readonly string[];
  readonly columns: EntryColumns;
  /** Entries whose payloads are wanted. */
  readonly wanted: ReadonlySet<number>;
  readonly pace: Step;
}

export interface PayloadSummary {
  readonly stored: number;
  /** The wanted payloads that are stored as they were logged; copies. */
  readonly payloads: ReadonlyMap<number, Uint8Array>;
  readonly faults: readonly PayloadFault[];
}

class PayloadCheck {
  readonly #columns: EntryColumns;
  readonly #wanted: ReadonlySet<number>;
  readonly #faults: PayloadFaults;
  readonly #kept = new Map<number, Uint8Array>();
  #stored = 0;

  constructor({ columns, wanted }: PayloadCheckInput, faults: PayloadFaults) {
    this.#columns = columns;
    this.#wanted = wanted;
    this.#faults = faults;
  }

  add(placed: PlacedPayload): void {
    const columns = this.#columns;
    const { index, payload, day, offset } = placed;
    const where = { index, file: payloadPathOf(day), offset };
    if (index >= columns.size)
      return this.#faults.add(day, 'is not in the signed log, and has a payload stored', where);
    if (!columns.has(index, MARK.known)) return columns.mark(index, MARK.stored);
    const wrong = wrongPayload(columns, placed);
    columns.mark(index, MARK.stored);
    if (wrong !== undefined) {
      const at = offset + PAYLOAD_HEAD_BYTES + wrong.byte;
      return this.#faults.add(day, wrong.what, { ...where, offset: at });
    }
    this.#stored += 1;
    if (this.#wanted.has(index)) this.#kept.set(index, new Uint8Array(payload));
  }

  summary(): PayloadSummary {
    return { stored: this.#stored, payloads: this.#kept, faults: this.#faults.list() };
  }
}

/** Reads all payloads once. */
export async function checkPayloads(input: PayloadCheckInput): Promise<PayloadSummary> {
  const { rows, source, files, pace } = input;
  const faults = new PayloadFaults();
  const records = new PayloadRecords(source, faults);
  const check = new PayloadCheck(input, faults);
  await eachRow(rows.ofKind('p'), pace, (row) => {
    for (const placed of records.of(row)) check.add(placed);
  });
  records.checkFiles(files);
  return check.summary();
}
