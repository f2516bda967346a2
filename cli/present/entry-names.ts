/** What a type of ledger entry is called (protocol.md §10). */
import { count } from './counts.js';

const NAMES: Readonly<Record<number, readonly [one: string, many: string]>> = {
  1: ['tag report', 'tag reports'],
  2: ['presence report', 'presence reports'],
  3: ['gateway enrolled or revoked', 'gateways enrolled or revoked'],
  4: ['day key published or destroyed', 'day keys published or destroyed'],
  5: ['case opened, changed or closed', 'cases opened, changed or closed'],
  6: ['look at a trace', 'looks at traces'],
  7: ['identity opened', 'identities opened'],
  8: ['notice published', 'notices published'],
  9: ['credential issued', 'credentials issued'],
  10: ['day of payloads pruned', 'days of payloads pruned'],
};

export const ENTRY_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(NAMES).map(([type, [, many]]) => [type, many]),
);

/** As it stands behind a number in a sentence. */
export const entryName = (type: number, entries: number): string =>
  NAMES[type]?.[entries === 1 ? 0 : 1] ?? `of type ${type}`;

/** A line of a table of how many there are. */
export const typeLine = (type: number, entries: number): string =>
  `  ${count(entries).padStart(8)}  ${entryName(type, entries)}`;
