/** What the HTTP API asks of a tracer, a method a question. Whoever implements it knows nothing of HTTP. */
import type { Look } from '../looks/access.js';
import type { ClusterAnswer } from '../cluster/cluster-message.js';
import type { Doubt } from '../intake/doubts.js';
import type { LookUpAnswer } from '../looks/trace-message.js';
import type {
  ClusterQuestion,
  ContactsAnswer,
  ContactsQuestion,
  EvidenceQuestion,
  PathAnswer,
  PathQuestion,
  TraceQuestion,
} from './messages.js';

/** Whose question it is, which the ledger has before there is an answer, and until when it is wanted. */
export interface Asking {
  readonly look: Look;
  readonly signal: AbortSignal;
}

/** Without who asks, which is settled. */
type Asked<Question> = Omit<Question, 'officer' | 'purpose'>;

export interface EvidenceAnswer {
  readonly accessIndex: number;
  /** evidence.md */
  readonly bundle: Uint8Array;
}

/** Where the tracer stands against its ledger. */
export interface Standing {
  /** Unix ms of the wall clock. */
  readonly followsSinceMs: number;
  /** When the ledger answered last; undefined before it did. */
  readonly ledgerSeenMs: number | undefined;
  /** When a checkpoint with new entries was seen last, in this life; undefined before one was. */
  readonly grewMs: number | undefined;
  /** Entries of the last checkpoint seen that are not taken in yet. */
  readonly behind: number;
  /** When all that the ledger had was taken in last; undefined before it was. */
  readonly readOnMs: number | undefined;
  /** Why reading on fails, in words for anybody; undefined where it did not fail the last time. */
  readonly failure: string | undefined;
}

export interface Figures {
  readonly entries: number;
  readonly contacts: number;
  readonly people: number;
  /** Reports that failed a check, by its reason. */
  readonly refusedReports: ReadonlyMap<string, number>;
  /** Reports that say something else than the one that stands under the same number of the same tag. */
  readonly clones: number;
  /** Reports that another names as the one before it and that have not come. */
  readonly reportGaps: number;
  /** Records whose beacons are nobody's, replayed or forged: those of tags, and those of gateways. */
  readonly forgedRecords: { readonly tag: number; readonly gateway: number };
  /** Presence reports of gateways: how many opened, the records in them, and those that failed a check, by its reason. */
  readonly presenceReports: {
    readonly opened: number;
    readonly records: number;
    readonly refused: ReadonlyMap<string, number>;
  };
  /** Days by which retention is held back; 0 unless the ledger's time leapt. */
  readonly heldBackDays: number;
  /** Reports that wait for the keys of their day. */
  readonly waitingReports: number;
  /** Reports that found no room to wait. */
  readonly reportsWithoutRoom: number;
  /** Reports and approvals of gateways whose payload the ledger has lost or holds damaged: answers lack what they tell. */
  readonly missingReports: number;
  /** Stays at gateways that had to go, and the unix seconds from which on all are there; 0 where none is gone. */
  readonly presenceDropped: number;
  readonly presenceFrom: number;
  /** What a person should know of what is kept, in words that name nobody. */
  readonly warnings: readonly string[];
}

/**
 * Every question that names a person is recorded as a look before it is answered: no entry, no answer. Each throws, as an AskerError
 * (asker-error.ts), `not-found`, `input` for what is out of bounds, `permission`, `timeout` or whatever kept the look from being
 * recorded, and the reason of the signal. Of any other error whoever asks hears only that there is one.
 */
export interface TracerApi {
  trace(question: Asked<TraceQuestion>, asking: Asking): Promise<LookUpAnswer>;
  path(question: Asked<PathQuestion>, asking: Asking): Promise<PathAnswer>;
  contacts(question: Asked<ContactsQuestion>, asking: Asking): Promise<ContactsAnswer>;
  evidence(question: Asked<EvidenceQuestion>, asking: Asking): Promise<EvidenceAnswer>;
  /** Absent in a tracer that cannot: then there is no such route. */
  cluster?(question: Asked<ClusterQuestion>, asking: Asking): Promise<ClusterAnswer>;
  standing(): Standing;
  figures(): Figures;
  /** What does not add up, in any order. It names nobody, so that no look is recorded. */
  doubts(): readonly Doubt[];
  /** Looks that the ledger has recorded since this process began. */
  looksRecorded(): number;
}
