/** What a person should know of what a tracer keeps, though it answers: in words, for its log and for its health. */
import type { Log } from '../protocol/log.js';
import { DAY_SECONDS, dayOf } from '../protocol/time.js';
import type { BorderDays } from './intake/retention-border.js';

/** The part of a tracer's status that there may be something to say of. */
export interface KeptStatus {
  readonly border: BorderDays;
  readonly keepsLonger: boolean;
  readonly waiting: number;
  readonly withoutRoom: number;
  readonly presenceFrom: number | undefined;
  readonly missingPayloads: number;
  readonly savingFails: boolean;
  readonly hasClones: boolean;
  readonly overtaken: number;
}

/** By what they are about, in words that name nobody. */
export type Warnings = ReadonlyMap<string, string>;

export function warningsOf({
  border,
  keepsLonger,
  waiting,
  withoutRoom,
  presenceFrom,
  missingPayloads,
  savingFails,
  hasClones,
  overtaken,
}: KeptStatus): Warnings {
  const warnings = new Map<string, string>();
  if (keepsLonger) warnings.set('retention', heldBack(border));
  if (waiting > 0) warnings.set('waiting reports', WAITING);
  if (withoutRoom > 0) warnings.set('reports without room', WITHOUT_ROOM);
  if (presenceFrom !== undefined) warnings.set('presence', presenceGone(presenceFrom));
  if (missingPayloads > 0) warnings.set('missing reports', MISSING);
  if (hasClones) warnings.set('clones', CLONES);
  if (overtaken > 0) warnings.set('overtaken reports', OVERTAKEN);
  if (savingFails) warnings.set('saving', NOT_SAVED);
  return warnings;
}

/** Days by which what retention goes by is behind the log's own time; 0 unless that leapt. */
export const heldBackDays = ({ day, logDay }: BorderDays): number => logDay - day;

const WAITING =
  'reports wait for the keys of their day, which are not in authority/day-keys or cannot be read: they count when the file is there';
const WITHOUT_ROOM =
  'more reports wait for keys of their day than there is room for; the ledger has them: put the key files back, then stop the ' +
  'tracer, remove tracer/contacts, and start it';

const NOT_SAVED =
  'what was read cannot be saved in tracer/contacts: see to its disk; answers go on, saving is tried again every few minutes, and a ' +
  'tracer that is started anew reads from the ledger what was not saved';
const MISSING =
  'the ledger has lost reports or approvals of gateways, or holds them damaged, and answers lack what they tell, or what a gateway ' +
  'saw that is not known to be approved: stop the ledger, and see what is damaged with ' +
  'firebreak ledger fsck --data-dir DIR; once its folder is mended, stop the tracer, remove tracer/contacts, and start it';

const CLONES =
  'one tag sent different reports under one number: it was copied, or set back to an older copy of its memory; the first that was opened ' +
  'counts, and the others are left out; firebreak tracer doubts --data-dir DIR lists them. Ask those who look after tags whether one ' +
  'was put back from a copy: enrol it anew. If none was, somebody else has its keys, and what is told in its name may be untrue; ' +
  'firebreak_clones_total says whether it goes on, and this is said until the days of such reports have left retention';

const OVERTAKEN =
  'reports waited for the keys of their day, and others of the same tag and number, logged after them, were opened meanwhile and count: ' +
  'a tracer begun anew counts those that were logged first; see that the key files are all there, then stop the tracer, remove ' +
  'tracer/contacts, and start it';

const presenceGone = (from: number): string =>
  `there is no room for more stays at gateways: those before ${nameOf(dayOf(from))} are gone, and answers by presence lack them`;

const heldBack = ({ day, logDay }: BorderDays): string =>
  `the ledger's time leapt to ${nameOf(logDay)}: contacts are kept as of ${nameOf(day)}, and go as the authority says that ` +
  'days ended; compare the clocks of ledger and authority, and see that the authority runs';

/** Days come from the ledger: one whose clock leapt far enough has no date. */
function nameOf(day: number): string {
  const date = new Date(day * DAY_SECONDS * 1000);
  return Number.isNaN(date.getTime()) ? `day ${day}` : date.toISOString().slice(0, 10);
}

/** Says each once, when it comes, and that it is over. */
export class SaidWarnings {
  readonly #log: Log | undefined;
  #said = new Set<string>();

  constructor(log: Log | undefined) {
    this.#log = log;
  }

  note(warnings: Warnings): void {
    for (const [about, words] of warnings) if (!this.#said.has(about)) this.#log?.warn(words, { about });
    for (const about of this.#said)
      if (!warnings.has(about)) this.#log?.info('what was warned of is over', { about });
    this.#said = new Set(warnings.keys());
  }
}
