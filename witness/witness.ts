/**
 * A witness (C2SP tlog-witness): cosigns a checkpoint of a log it trusts only when that continues the one it cosigned before,
 * and remembers it on disk before it answers. Whoever finds its cosignature knows that everyone who asks for it is shown
 * one and the same log.
 */
import { equalBytes } from '../protocol/bytes.js';
import { decodeAddCheckpoint, type AddCheckpoint } from '../protocol/tlog/add-checkpoint.js';
import { parseForeignCheckpoint, type Checkpoint } from '../protocol/tlog/checkpoint.js';
import { cosign, cosignedAt, type CosignerWithKey } from '../protocol/tlog/cosignature.js';
import { FirebreakError } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';
import { checkConsistency, emptyRoot } from '../protocol/tlog/merkle.js';
import { openNote, readNote, signatureText, type NoteVerifier } from '../protocol/tlog/note.js';
import { ForkAlarms } from './fork-alarms.js';
import type { WitnessState } from './state.js';

/** Clocks that are set by hand, or by radio now and again, stay within this. */
const MAX_AHEAD_SECONDS = 300;
/** Requests about one log that wait for each other. The log itself sends one at a time. */
const MAX_WAITING = 64;
/** Of checkpoints that are refused between two that are cosigned, so many are told of. */
const MAX_REFUSED = 16;

export interface WitnessDeps {
  readonly cosigner: CosignerWithKey;
  /** The logs it is a witness of; several keys of one log have one name, its origin. */
  readonly logs: readonly NoteVerifier[];
  readonly state: WitnessState;
  /** Of the wall, unix seconds. */
  readonly nowSeconds: () => number;
  readonly log: Log;
}

export type WitnessAnswer =
  | { readonly status: 200; readonly cosignatures: string }
  /** `size`: what the witness cosigned last, which is not the old size. */
  | { readonly status: 409; readonly why: string; readonly size: number }
  /** 409 here: another root was cosigned for that size. */
  | { readonly status: 400 | 403 | 404 | 409 | 422 | 503; readonly why: string };

export interface Witness {
  /** Answers the body of an add-checkpoint request. Throws `full`, `permission` or `input` when the state cannot be kept. */
  addCheckpoint(body: Uint8Array): Promise<WitnessAnswer>;
  /** Answers what was taken in, then gives the state back. */
  close(): Promise<void>;
}

/** What was cosigned last. */
interface Cosigned {
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly timestampSeconds: number;
  /** Saved by this process. What is only found on the disk may never have been synced, and a power cut could take it back. */
  readonly isSynced: boolean;
}

interface TrustedLog {
  readonly origin: string;
  readonly verifiers: NoteVerifier[];
  /** `null`: nothing yet; `undefined`: to be read from the state first, because a save failed. */
  latest: Cosigned | null | undefined;
  /** Checkpoints it was said of that they do not continue `latest`. */
  readonly refused: Set<string>;
  readonly forks: ForkAlarms;
  /** Whether it was said that the time of `latest` is to come. */
  isAheadSaid: boolean;
  /** One request after the other: what is checked against the state is saved before the next is looked at. */
  turn: Promise<unknown>;
  /** How many wait for their turn, or have it. */
  waiting: number;
}

interface Submission extends Pick<AddCheckpoint, 'oldSize' | 'proof'> {
  readonly text: string;
  readonly checkpoint: Checkpoint;
  /** The note with the signatures that were checked and no others. */
  readonly note: string;
}

const refusal = (status: 400 | 403 | 404 | 409 | 422 | 503, why: string): WitnessAnswer => ({ status, why });

class OpenWitness implements Witness {
  readonly #deps: WitnessDeps;
  readonly #logs: ReadonlyMap<string, TrustedLog>;

  constructor(deps: WitnessDeps, logs: ReadonlyMap<string, TrustedLog>) {
    this.#deps = deps;
    this.#logs = logs;
  }

  async addCheckpoint(body: Uint8Array): Promise<WitnessAnswer> {
    try {
      const request = decodeAddCheckpoint(body);
      const { text } = readNote(request.checkpoint);
      const log = this.#logs.get(text.slice(0, text.indexOf('\n')));
      if (log === undefined) return refusal(404, 'this witness does not know the log');
      const submission = openSubmission(request, log);
      if (request.oldSize > submission.checkpoint.size)
        return refusal(400, 'the old size is larger than the checkpoint');
      return await this.#inTurn(log, submission);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      if (error.code === 'format') return refusal(400, error.message);
      if (error.code === 'signature') return refusal(403, error.message);
      throw error;
    }
  }

  async close(): Promise<void> {
    const logs = [...this.#logs.values()];
    await Promise.allSettled(logs.map(({ turn }) => turn));
    for (const { forks } of logs) forks.clear();
    await this.#deps.state.close();
  }

  #inTurn(log: TrustedLog, submission: Submission): Promise<WitnessAnswer> {
    if (log.waiting >= MAX_WAITING)
      return Promise.resolve(refusal(503, `${MAX_WAITING} requests about this log wait already; try again`));
    log.waiting += 1;
    const answer = log.turn
      .then(() => this.#consider(log, submission))
      .finally(() => {
        log.waiting -= 1;
      });
    log.turn = answer.catch(() => undefined);
    return answer;
  }

  async #consider(log: TrustedLog, submission: Submission): Promise<WitnessAnswer> {
    const { oldSize, proof, checkpoint } = submission;
    if (log.latest === undefined) log.latest = await readLatest(this.#deps, log.origin);
    const latest = log.latest ?? undefined;
    const size = latest?.checkpoint.size ?? 0;
    if (oldSize !== size)
      return { status: 409, size, why: `the checkpoint cosigned last has ${size} entries` };
    if (latest && checkpoint.size === size && !equalBytes(checkpoint.root, latest.checkpoint.root))
      return this.#refuseFork(log, latest, submission);
    try {
      const oldRoot = latest?.checkpoint.root ?? emptyRoot();
      checkConsistency(proof, { oldSize, oldRoot, newSize: checkpoint.size, newRoot: checkpoint.root });
    } catch (error) {
      const why = (error as Error).message;
      if (checkpoint.size > size) this.#sayRefused(log, submission, why);
      return refusal(422, why);
    }
    return this.#cosign(log, submission, latest);
  }

  /**
   * Time never goes back: a larger log was not seen before a smaller one. A clock that is a little behind what was cosigned
   * before is waited for at that time; behind one that is far off every time to come would be wrong, and nobody would see it.
   */
  async #cosign(log: TrustedLog, submission: Submission, latest?: Cosigned): Promise<WitnessAnswer> {
    const { cosigner, nowSeconds, state } = this.#deps;
    const { text, checkpoint } = submission;
    const now = nowSeconds();
    if (isAhead(log, latest, now, this.#deps.log))
      return refusal(503, 'what this witness cosigned last is dated in the future; its log says more');
    const timestampSeconds = Math.max(1, Math.floor(now), latest?.timestampSeconds ?? 0);
    const cosignatures = cosign(text, cosigner, timestampSeconds);
    const isSame = timestampSeconds === latest?.timestampSeconds && text === readNote(latest.note).text;
    if (isSame && latest.isSynced) return { status: 200, cosignatures }; // anybody may ask for these lines, and often
    const note = submission.note + cosignatures;
    log.latest = undefined;
    await state.save(log.origin, note);
    log.latest = { note, checkpoint, timestampSeconds, isSynced: true };
    if (checkpoint.size > (latest?.checkpoint.size ?? 0)) {
      log.refused.clear();
      log.forks.clear();
    }
    return { status: 200, cosignatures };
  }

  /** Once of each, and of a few: anybody may send a checkpoint of the log again, and with any proof. */
  #sayRefused({ origin, refused }: TrustedLog, { text, oldSize, checkpoint }: Submission, why: string): void {
    if (refused.has(text) || refused.size >= MAX_REFUSED) return;
    refused.add(text);
    const fields = { origin, from: oldSize, to: checkpoint.size, why };
    this.#deps.log.warn('refused a checkpoint that was not shown to continue its log', fields);
  }

  async #refuseFork(
    { forks }: TrustedLog,
    latest: Cosigned,
    { note, checkpoint }: Submission,
  ): Promise<WitnessAnswer> {
    const { size, origin, root } = checkpoint;
    const log = forks.of(root);
    log.error('the log was forked: it signed two roots for one size', { origin, size });
    await this.#deps.state.keepFork([latest.note, note]).then(
      () => log.error('both forked checkpoints are kept in the folder forks', { origin, size }),
      (error: unknown) => log.error('a forked checkpoint could not be kept', { why: String(error) }),
    );
    return refusal(409, `another root was cosigned for ${size} entries: the log was forked`);
  }
}

/** Whether what was cosigned last is dated in the future; said once until it is not. */
function isAhead(trusted: TrustedLog, latest: Cosigned | undefined, now: number, log: Log): boolean {
  const atSeconds = latest?.timestampSeconds ?? 0;
  const isSo = atSeconds > now + MAX_AHEAD_SECONDS;
  if (isSo && !trusted.isAheadSaid)
    log.error(
      'what was cosigned last is dated in the future, so nothing is cosigned until then. Set the clock right if it is ' +
        'behind; if it was ahead then, make a new witness and tell those who relied on this one',
      { origin: trusted.origin, cosigned: dateOf(atSeconds), now: dateOf(now) },
    );
  trusted.isAheadSaid = isSo;
  return isSo;
}

/** The number itself where it is no date. */
function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString();
}

/** Throws `format` and `signature`. */
function openSubmission({ oldSize, proof, checkpoint: note }: AddCheckpoint, log: TrustedLog): Submission {
  const { text, verified } = openNote(note, log.verifiers);
  const checkpoint = parseForeignCheckpoint(text);
  return { oldSize, proof, text, checkpoint, note: `${text}\n${verified.map(signatureText).join('')}` };
}

/** What the state holds must bear our own cosignature. Throws `damaged`, and as {@link WitnessState.load}. */
async function readLatest({ state, cosigner }: WitnessDeps, origin: string): Promise<Cosigned | null> {
  const note = await state.load(origin);
  if (note === undefined) return null;
  try {
    const { text, signatures } = readNote(note);
    const checkpoint = parseForeignCheckpoint(text);
    const timestampSeconds = cosignedAt(text, signatures, cosigner);
    if (timestampSeconds !== undefined && checkpoint.origin === origin)
      return { note, checkpoint, timestampSeconds, isSynced: false };
  } catch (cause) {
    throw notOurs(origin, cause);
  }
  throw notOurs(origin);
}

const notOurs = (origin: string, cause?: unknown) =>
  new FirebreakError(
    'damaged',
    `what this witness cosigned last for ${origin} cannot be read, or was cosigned with another key. It must not go on ` +
      'with this key, it could cosign a second view: make a new witness, and tell those who relied on this one',
    { cause },
  );

/**
 * Opens a witness on its state, which it closes in the end, also when this throws.
 *
 * Throws `not-found` when the state of a trusted log is missing, `damaged` when it is not what this witness cosigned.
 */
export async function openWitness(deps: WitnessDeps): Promise<Witness> {
  const logs = new Map<string, TrustedLog>();
  try {
    for (const verifier of deps.logs) {
      const known = logs.get(verifier.name);
      if (known) known.verifiers.push(verifier);
      else logs.set(verifier.name, await trustedLog(deps, verifier));
    }
    return new OpenWitness(deps, logs);
  } catch (error) {
    await deps.state.close();
    throw error;
  }
}

async function trustedLog(deps: WitnessDeps, verifier: NoteVerifier): Promise<TrustedLog> {
  const origin = verifier.name;
  const latest = await readLatest(deps, origin);
  const log = {
    origin,
    verifiers: [verifier],
    latest,
    refused: new Set<string>(),
    forks: new ForkAlarms(deps.log),
    isAheadSaid: false,
    turn: Promise.resolve(),
    waiting: 0,
  };
  isAhead(log, latest ?? undefined, deps.nowSeconds(), deps.log);
  return log;
}
