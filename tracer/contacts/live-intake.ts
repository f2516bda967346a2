/** How testimonies and columns become changes of live contacts. */
import { MUTUAL, PARTIAL } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { EPOCH_SECONDS } from '../../protocol/time.js';
import type { Testimony } from '../records/testimony.js';
import { accountOf, rowOfSides, sidesOfRow } from './live-contact.js';
import type { Meeting } from './live-contact.js';
import { withAccount } from './merge-accounts.js';
import type { Account, Sides } from './merge-accounts.js';
import { newRow } from './live-row.js';
import type { LiveRow } from './live-row.js';
import type { Change } from './live-settle.js';
import type { LiveWriter } from './live-writer.js';
import { MAX_CONTACT_SECONDS } from './segment.js';

const NOBODY: Sides = [[], []];

/** What was told of one pair, by epoch. */
interface Told {
  readonly lower: number;
  readonly upper: number;
  readonly byEpoch: Map<number, Testimony[]>;
}

/**
 * Merges testimonies with what is known; those of a pair at once, so that each contact is written once. What is
 * known already changes nothing. Throws `damaged` when the evidence of a sealed contact cannot be read.
 */
export function takeTestimonies(writer: LiveWriter, testimonies: readonly Testimony[]): void {
  const pairs = new Map<string, Told>();
  for (const testimony of testimonies) {
    const [one, other] = [writer.people.add(testimony.reporter), writer.people.add(testimony.peer)];
    const [lower, upper] = one < other ? [one, other] : [other, one];
    const told: Told = pairs.get(`${lower}/${upper}`) ?? { lower, upper, byEpoch: new Map() };
    pairs.set(`${lower}/${upper}`, told);
    const sameEpoch = told.byEpoch.get(testimony.epoch);
    if (sameEpoch) sameEpoch.push(testimony);
    else told.byEpoch.set(testimony.epoch, [testimony]);
  }
  for (const { lower, upper, byEpoch } of pairs.values()) {
    const changes = [...byEpoch].flatMap(([epoch, told]) => changeOf(writer, { lower, upper, epoch }, told));
    settle(writer, lower, upper, changes);
  }
}

function changeOf(writer: LiveWriter, meeting: Meeting, told: readonly Testimony[]): Change[] {
  const lowerTag = writer.people.tagOf(meeting.lower);
  const accounts = told.map((testimony) => ({
    account: accountOf(testimony),
    side: testimony.reporter === lowerTag ? 0 : 1,
  }));
  return changedBy(writer, meeting, accounts);
}

function changedBy(
  writer: LiveWriter,
  meeting: Meeting,
  accounts: readonly { readonly account: Account; readonly side: number }[],
): Change[] {
  const old = writer.known(meeting.lower, meeting.upper, meeting.epoch);
  const before = old ? sidesOfRow(writer.rowOf(old)) : NOBODY;
  let [first, second] = before;
  for (const { account, side } of accounts) {
    if (side === 0) first = withAccount(first, account);
    else second = withAccount(second, account);
  }
  if (first === before[0] && second === before[1]) return [];
  return [{ row: rowOfSides(meeting, [first, second]), old }];
}

/** A new contact that is the pair's latest, as most are, has nothing to settle. */
function settle(writer: LiveWriter, lower: number, upper: number, changes: readonly Change[]): void {
  const [only] = changes;
  if (only === undefined) return;
  if (changes.length === 1 && only.old === undefined && writer.append(only.row)) return;
  writer.settle(lower, upper, changes);
}

/**
 * Contacts `from` to `to` of a file of columns, but for those that ended before `keepFrom`, unix seconds.
 * Throws `damaged`.
 */
export function takeColumns(
  writer: LiveWriter,
  columns: ContactColumns,
  from: number,
  to: number,
  keepFrom: number,
): void {
  const { people } = writer;
  const row = newRow();
  for (let k = from; k < to; k++) {
    const one = people.add(columns.lower[k] ?? 0);
    const other = people.add(columns.upper[k] ?? 0);
    fillRow(row, columns, k);
    row.lower = Math.min(one, other);
    row.upper = Math.max(one, other);
    if (row.start + row.duration < keepFrom || writer.append(row)) continue;
    const sides = sidesOfRow(row);
    const accounts = sides.flatMap((side, which) => side.map((account) => ({ account, side: which })));
    const changes = changedBy(writer, { lower: row.lower, upper: row.upper, epoch: row.epoch }, accounts);
    // As it is told in columns, it is kept as columns: without accounts.
    const kept = changes.map((change) => (change.old ? change : { ...change, row: { ...row } }));
    settle(writer, row.lower, row.upper, kept);
  }
}

function fillRow(row: LiveRow, columns: ContactColumns, k: number): void {
  const flags = columns.flags[k] ?? 0;
  row.start = columns.start[k] ?? 0;
  row.epoch = Math.floor(row.start / EPOCH_SECONDS);
  row.duration = Math.min(columns.duration[k] ?? 0, MAX_CONTACT_SECONDS);
  row.immediate = columns.immediate[k] ?? 0;
  row.near = columns.near[k] ?? 0;
  row.medium = columns.medium[k] ?? 0;
  row.other = columns.other[k] ?? 0;
  row.attenuationDb = columns.attenuationDb[k] ?? 0;
  row.mutual = (flags & MUTUAL) !== 0;
  row.partial = (flags & PARTIAL) !== 0;
}
