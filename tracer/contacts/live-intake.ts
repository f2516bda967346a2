/** How testimonies become changes of live contacts. */
import type { Testimony } from '../records/testimony.js';
import { accountOf, rowOfSides, sidesOfRow } from './live-contact.js';
import type { Meeting } from './live-contact.js';
import { withAccount } from './merge-accounts.js';
import type { Account, Sides } from './merge-accounts.js';
import type { Change } from './live-settle.js';
import type { LiveWriter } from './live-writer.js';
import { readPairsAhead } from './pairs-ahead.js';

const NOBODY: Sides = [[], []];

/** A testimony, by persons. */
interface Said extends Meeting {
  /** 0 for the word of `lower`, 1 for that of `upper`. */
  readonly side: number;
  readonly account: Account;
}

type Accounts = readonly Pick<Said, 'side' | 'account'>[];

/**
 * Merges testimonies with what is known; those of a meeting at once, so that it is written once. What is known
 * already changes nothing. Throws `damaged` when the evidence of a sealed contact cannot be read.
 */
export function takeTestimonies(writer: LiveWriter, testimonies: readonly Testimony[]): void {
  const said = testimonies.map((testimony) => saidIn(writer, testimony));
  if (said.length > 1) {
    readPairsAhead(writer, said);
    said.sort(byMeeting); // stable: what was told first stands
  }
  for (let from = 0, to = 1; from < said.length; from = to++) {
    const meeting = said[from]!;
    while (to < said.length && byMeeting(meeting, said[to]!) === 0) to++;
    takeMeeting(writer, meeting, to - from === 1 ? [meeting] : said.slice(from, to));
  }
}

function saidIn({ people }: LiveWriter, testimony: Testimony): Said {
  const [reporter, peer] = [people.add(testimony.reporter), people.add(testimony.peer)];
  const { epoch } = testimony;
  const account = accountOf(testimony);
  if (reporter < peer) return { lower: reporter, upper: peer, epoch, side: 0, account };
  return { lower: peer, upper: reporter, epoch, side: 1, account };
}

/** A pair's meetings in the order they were: each is later than those before, as most are that come. */
const byMeeting = (x: Meeting, y: Meeting): number =>
  x.lower - y.lower || x.upper - y.upper || x.epoch - y.epoch;

/** Of a new meeting, as half of all are, nothing is looked up but what its sum takes. */
function takeMeeting(writer: LiveWriter, { lower, upper, epoch }: Meeting, accounts: Accounts): void {
  const meeting = { lower, upper, epoch };
  if (writer.knownLive(lower, upper, epoch) === undefined) {
    const row = rowOfSides(meeting, withAccounts(NOBODY, accounts));
    if (writer.append(row)) return;
  }
  const change = changedBy(writer, meeting, accounts);
  if (change) settle(writer, change);
}

function changedBy(writer: LiveWriter, meeting: Meeting, accounts: Accounts): Change | undefined {
  const old = writer.known(meeting.lower, meeting.upper, meeting.epoch);
  const before = old ? sidesOfRow(writer.rowOf(old)) : NOBODY;
  const after = withAccounts(before, accounts);
  if (after[0] === before[0] && after[1] === before[1]) return undefined;
  return { row: rowOfSides(meeting, after), old };
}

function withAccounts([first, second]: Sides, accounts: Accounts): Sides {
  for (const { account, side } of accounts) {
    if (side === 0) first = withAccount(first, account);
    else second = withAccount(second, account);
  }
  return [first, second];
}

/** The pair's latest contact, as most are, changes no other. */
function settle(writer: LiveWriter, change: Change): void {
  if (!writer.append(change.row, change.old)) writer.settle(change);
}
