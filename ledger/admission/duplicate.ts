/** The same report twice is one report (protocol.md §8): the second is answered with the index of the first. */
import { ENTRY_TYPE } from '../../protocol/entry.js';
import type { PayloadRecord } from '../store/store.js';

/** The index of the entry this one repeats; `undefined` when it is to be appended. Only reports can repeat. */
export function duplicateOf(type: number, earlier: PayloadRecord | undefined): number | undefined {
  const isReport = type === ENTRY_TYPE.tagReport || type === ENTRY_TYPE.presenceReport;
  return isReport && earlier?.type === type ? earlier.index : undefined;
}
