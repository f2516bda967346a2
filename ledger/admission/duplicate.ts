/** What follows from a payload that is stored already (protocol.md §8, §13). */
import { isReport } from '../../protocol/tlog/entry.js';
import type { Refusal } from '../../protocol/errors.js';
import type { PayloadRecord } from '../store/store.js';

/** The index of the entry this one repeats; `undefined` when it is to be appended. Only reports can repeat. */
export function duplicateOf(type: number, earlier: PayloadRecord | undefined): number | undefined {
  return isReport(type) && earlier?.type === type ? earlier.index : undefined;
}

/** The bytes of a report under another type would be missing from the log once the report's day is pruned. */
export function copiedReportRule(type: number, earlier: PayloadRecord | undefined): Refusal | undefined {
  return earlier !== undefined && isReport(earlier.type) && !isReport(type) ? 'type' : undefined;
}
