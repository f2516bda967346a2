/**
 * Reading a ledger into a contact store, and the store's life with it: what was read is saved between two
 * pages, taken up again at the next start, and begun anew from the ledger when it proves damaged.
 */
import { asError, FirebreakError } from '../../protocol/errors.js';
import { decodeVerifiedLog, encodeVerifiedLog, sizeOf } from '../../protocol/tlog/log-verifier.js';
import type { VerifiedLog } from '../../protocol/tlog/log-verifier.js';
import type { ContactStore } from '../contacts/contact-store.js';
import { memoryContactStore } from '../contacts/open-contact-store.js';
import type { ContactView } from '../contacts/view.js';
import { Follower } from '../follow/follower.js';
import type { CatchUp, FollowerDeps, Progress } from '../follow/follower.js';
import { Intake } from './intake.js';
import type { IntakeGiven } from './intake.js';
import type { IntakeStatus } from './intake-status.js';
import { openOpeningPool } from '../opening/opening-pool.js';
import type { OpeningPool } from '../opening/opening-pool.js';
import { SavePause } from './save-pause.js';
import { SaidWarnings, warningsOf } from '../warnings.js';

export interface ReadingDeps
  extends
    Omit<IntakeGiven, 'opener'>,
    Pick<FollowerDeps, 'verifier' | 'policy' | 'checkpoints' | 'verifiedEvery'> {
  /** Threads that open reports beside this one, once there are many; none by default. */
  readonly openThreads?: number;
  /** Where contacts are kept; in memory by default. Closed with the reading. */
  readonly contacts?: ContactStore;
  /** Entries read before what they gave is saved again; 16,384 by default. */
  readonly saveEvery?: number;
  /** Monotonic ms; the process's own by default. */
  readonly nowMs?: () => number;
}

export interface TracerStatus extends IntakeStatus {
  /** Entries verified. */
  readonly entries: number;
  readonly contacts: number;
  /** Contacts that both sides reported. */
  readonly mutual: number;
  readonly people: number;
  /** Whether what was read could not be saved, and not the first time. */
  readonly savingFails: boolean;
}

/** The section of what is kept that says how far the log was read. */
const LOG = 'log';
const SAVE_EVERY = 16_384;

/** What reads a ledger into a contact store. */
interface Reading {
  readonly intake: Intake;
  readonly follower: Follower;
}

export class LedgerReading {
  readonly contacts: ContactStore;
  readonly #deps: ReadingDeps;
  readonly #opener: OpeningPool | undefined;
  readonly #onSaved: (view: ContactView) => void;
  readonly #said: SaidWarnings;
  readonly #pause: SavePause;
  #reading: Reading;
  /** Why it is to be begun anew. */
  #broken: Error | undefined;
  /** Entries read since the last saving. */
  #unsaved = 0;
  /** Settles when the last call to catch up that was begun is over. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** `onSaved` is told the contacts as they stand whenever segments may have gone since. */
  constructor(deps: ReadingDeps, onSaved: (view: ContactView) => void = () => undefined) {
    this.#deps = deps;
    this.#onSaved = onSaved;
    this.#said = new SaidWarnings(deps.log);
    this.#pause = new SavePause(deps.nowMs ?? (() => performance.now()));
    this.contacts = deps.contacts ?? memoryContactStore();
    this.#opener = openerFor(deps);
    this.#reading = this.#begin();
  }

  /** What was made of the entries so far. */
  get intake(): Intake {
    return this.#reading.intake;
  }

  /** As {@link Tracer.catchUp}. One call after another, so that nothing is taken while what was taken is saved. */
  async catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    if (this.#isClosed) throw new FirebreakError('closed', 'the tracer is closed');
    const readOn = () => this.#readOn(onProgress, signal);
    const turn = this.#turn.then(readOn, readOn); // whoever called before hears of its own failure
    this.#turn = turn;
    return turn;
  }

  status(): TracerStatus {
    const { contacts, mutual, people } = this.contacts.status();
    const { intake, follower } = this.#reading;
    const { isFailing: savingFails } = this.#pause;
    return { ...intake.status(), entries: follower.size, contacts, mutual, people, savingFails };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#turn.catch(() => undefined);
    try {
      const isSound = this.#broken === undefined && this.contacts.damage === undefined;
      if ((this.#unsaved > 0 || this.intake.hasForgotten) && isSound) await this.#save();
    } finally {
      await this.#opener?.close();
      await this.contacts.close();
    }
  }

  /** Refreshes the keys at the end, even when reading fails: those of destroyed days are not to stay in memory. */
  async #readOn(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    signal?.throwIfAborted();
    const { dayKeys } = this.#deps;
    const read = await this.#mendAndRead(onProgress, signal).catch(async (error: unknown) => {
      await dayKeys.refresh().catch(() => undefined); // the caller is told why the reading failed
      throw error;
    });
    await dayKeys.refresh();
    return read;
  }

  async #mendAndRead(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    await this.#mend();
    try {
      return await this.#readOnce(onProgress, signal);
    } catch (error) {
      if (this.contacts.damage === undefined) throw error;
      await this.#mend();
      return this.#readOnce(onProgress, signal);
    }
  }

  async #readOnce(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    const { intake, follower } = this.#reading;
    const caughtUp = await follower.catchUp(onProgress, signal);
    await this.#takeWaiting(intake, follower.size, signal);
    // Or what left retention would stay on the disk until there is much to save.
    if (intake.hasForgotten || this.contacts.wantsSave) await this.#save();
    this.#said.note(warningsOf(this.status()));
    return caughtUp;
  }

  /** Begins anew what is broken: the ledger is read again from where it was saved last, or from its start. */
  async #mend(): Promise<void> {
    const why = this.#broken ?? this.contacts.damage;
    if (why === undefined) return;
    this.#deps.log?.warn('the contacts are begun anew, and the ledger is read again from where they reach', {
      why: why.message,
    });
    await this.contacts.beginAnew();
    this.#broken = undefined;
    this.#reading = this.#begin();
    this.#onSaved(this.contacts.view());
  }

  #begin(): Reading {
    try {
      return this.#readingFrom(this.contacts);
    } catch (error) {
      this.#broken = asError(error);
      return this.#readingFrom(memoryContactStore()); // until it is mended, before anything is read
    }
  }

  #readingFrom(contacts: ContactStore): Reading {
    const opener = this.#opener;
    const intake = new Intake({ ...this.#deps, ...(opener && { opener }) }, contacts);
    const start = keptLog(contacts);
    const follower = new Follower({
      ...this.#deps,
      ...(start && { start }),
      onVerified: () => this.#deps.dayKeys.refresh(), // keys of destroyed days are not to stay in memory
      onPage: async (entries, signal) => {
        await this.#deps.dayKeys.refresh();
        await this.#takeWaiting(intake, entries[0]?.index ?? 0, signal); // a retry is not to come before them
        await intake.takePage(entries);
        this.#unsaved += entries.length; // it is saved once the follower's position has moved
      },
      onTaken: () => this.#saveIfDue(),
    });
    return { intake, follower };
  }

  /** `logSize`: as of {@link Intake.takeWaiting}. */
  async #takeWaiting(intake: Intake, logSize: number, signal: AbortSignal | undefined): Promise<void> {
    const onTaken = async (count: number): Promise<void> => {
      this.#unsaved += count;
      await this.#saveIfDue();
    };
    await intake.takeWaiting(logSize, onTaken, signal);
  }

  async #saveIfDue(): Promise<void> {
    const hasMuch = this.#unsaved >= (this.#deps.saveEvery ?? SAVE_EVERY);
    if (hasMuch || this.contacts.wantsSave) await this.#save();
  }

  /** Does nothing while a disk that fails is left alone: what is not saved can be read from the ledger again. */
  async #save(): Promise<void> {
    if (this.#pause.isOn) return;
    try {
      await this.#saveNow();
    } catch (error) {
      if (this.contacts.damage === undefined) this.#pause.failed(); // what is damaged is mended and tried at once
      throw error;
    }
    this.#pause.saved();
  }

  /** Between two pages: the contacts, the place in the log and what is remembered belong together. */
  async #saveNow(): Promise<void> {
    const { intake, follower } = this.#reading;
    const { position } = follower;
    const changes = await intake.changes();
    const sections = new Map([...intake.sections(), [LOG, encodeVerifiedLog(position)]]);
    await this.contacts.save({ size: sizeOf(position) }, sections, changes);
    intake.saved();
    this.#unsaved = 0;
    this.#onSaved(this.contacts.view());
  }
}

function openerFor(deps: ReadingDeps): OpeningPool | undefined {
  const { openThreads = 0, log } = deps;
  if (openThreads === 0) return undefined;
  const onDeath = (why: string): void =>
    log?.warn('a thread that opens reports ended; nothing is lost', { why });
  return openOpeningPool(deps, openThreads, { onDeath });
}

/**
 * Throws `damaged` when the place in the log is not the one that the contacts reach to, `format` when it cannot
 * be read.
 */
function keptLog({ kept, position }: ContactStore): VerifiedLog | undefined {
  const bytes = kept.get(LOG);
  const log = bytes && decodeVerifiedLog(bytes);
  if ((log ? sizeOf(log) : 0) === position.size) return log;
  throw new FirebreakError('damaged', 'the kept place in the log is not the one that the contacts reach to');
}
