/**
 * The tracer's contacts: live tables for what comes in, segments for what is older, and views of both for walks. With a
 * folder it survives: whoever keeps a ledger's place saves it together with what it remembers, and finds both again.
 */
import type { TagNumber } from '../../protocol/brands.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { BucketSeconds } from '../../protocol/tag/encounter-record.js';
import type { Contact } from '../contact.js';
import { encodeSections } from './state-sections.js';
import type { Sections } from './state-sections.js';
import type { Testimony } from '../records/testimony.js';
import type { ColdEvidence } from './cold-evidence.js';
import { spanOf, statusOf } from './contact-status.js';
import type { ContactStatus, Span } from './contact-status.js';
import type { ColdPath, KeptParts, PartChange } from './kept-parts.js';
import { takeTestimonies } from './live-intake.js';
import { LIVE_SECTION } from './store-assembly.js';
import type { StoreAssembly } from './store-assembly.js';
import { encodeKeepFrom } from './live-state.js';
import type { LiveWriter } from './live-writer.js';
import type { LedgerPosition } from './manifest.js';
import type { Segment } from './segment.js';
import { hasStopped, isDamaged } from './store-errors.js';
import { begunAnew, ViewBook } from './view-book.js';
import type { ContactView, Place } from './view.js';

/**
 * Versions are numbers of 32 bits. A city of a million makes some twenty million a day: they last half a year without
 * a start. Before they run out, with room for what is under way, the store is begun anew, and counts from 1 again.
 */
const LAST_VERSION = 2 ** 32 - 2 ** 28;

/** How an open store is put together: from what was saved last, or from nothing. */
export interface Beginnings {
  readonly saved: () => Promise<StoreAssembly>;
  readonly empty: () => Promise<StoreAssembly>;
}

export class ContactStore {
  #assembly: StoreAssembly;
  readonly #beginnings: Beginnings;
  #views: ViewBook;
  #keepFrom: number;
  #damage: Error | undefined;
  /** It was begun anew with what was saved, and has not been saved since: next time that is not tried once more. */
  #isTriedAgain = false;

  constructor(assembly: StoreAssembly, beginnings: Beginnings) {
    this.#assembly = assembly;
    this.#beginnings = beginnings;
    this.#views = new ViewBook(assembly);
    this.#keepFrom = assembly.keepFrom;
  }

  /** How far in the ledger its contacts reached when it was opened. */
  get position(): LedgerPosition {
    return this.#assembly.position;
  }

  /** The sections that were saved with them, by name. */
  get kept(): Sections {
    return this.#assembly.kept;
  }

  /** The parts that were saved with them. Handed out once, since they may be large; empty from then on. */
  takeParts(): KeptParts {
    const { keptParts } = this.#assembly;
    const taken = new Map(keptParts);
    keptParts.clear();
    return taken;
  }

  /** Where cold parts are that were saved; absent in memory. Good until the store is begun anew. */
  get coldPath(): ColdPath | undefined {
    return this.#assembly.coldPath;
  }

  /** Whether a {@link save} is due: something was sealed that is not committed, or is on the disk past retention. */
  get wantsSave(): boolean {
    return this.#assembly.sealer?.hasUncommitted === true || this.#assembly.keeper.holdsOlder(this.#keepFrom);
  }

  /** Why its contacts cannot be trusted any more, if so: {@link beginAnew} is all that helps. */
  get damage(): Error | undefined {
    return this.#damage ?? this.#assembly.sealer?.damage;
  }

  /** The dense number of a tag, a new one for one that nobody met yet. */
  personOf(tag: TagNumber): number {
    return this.#assembly.writer.people.add(tag);
  }

  tagOf(person: number): number {
    return this.#assembly.writer.people.tagOf(person);
  }

  /** Resolves when there is room for more. Throws what keeps contacts from being sealed; `closed` once the store is. */
  async ready(): Promise<void> {
    await this.#assembly.sealer?.ready();
  }

  /**
   * Takes testimonies; those that are known already change nothing. Views that are taken later show them. Throws
   * `damaged` when the sealed evidence that one has to be merged with cannot be read, `full` when versions run out, and
   * whatever else goes wrong; each of these is {@link damage} from then on.
   */
  add(testimonies: readonly Testimony[]): void {
    const kept = testimonies.filter(({ end }) => end >= this.#keepFrom);
    this.#orDamage(() => takeTestimonies(this.#lastingWriter(), kept));
    this.#assembly.sealer?.nudge();
  }

  /**
   * Makes a change that must not be left half done, such as contacts and what is remembered of the reports that told
   * them. Others may have their turns meanwhile. Throws what `change` throws, and that is {@link damage} from then on:
   * nobody can say how far it came, so all is to be read anew.
   */
  async wholly(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (error) {
      this.#damage = asError(error);
      throw error;
    }
  }

  /**
   * Forgets contacts that ended before this time, unix seconds, and takes none any more: no view from the next one on
   * shows them, and the files of segments are rid of them as soon as these are written anew. It never goes back.
   */
  expireBefore(seconds: number): void {
    if (seconds <= this.#keepFrom) return;
    this.#keepFrom = seconds;
    this.#assembly.writer.expireBefore(seconds);
    this.#assembly.sealer?.expireBefore(seconds);
  }

  /** The contacts as they stand. */
  view(): ContactView {
    return this.#views.take(this.#keepFrom);
  }

  /**
   * A contact of a view of this store in full, as it stood then. Throws `damaged` when its evidence cannot be read,
   * `busy` for a view from before the store was begun anew.
   */
  contactAt(view: ContactView, place: Place): Contact {
    return this.#guard(() => this.#views.contactAt(view, place));
  }

  /** Seconds of each bucket of an entry of a segment of a view of this store. Throws as {@link contactAt}. */
  bucketsOf(segment: Segment, entry: number): BucketSeconds {
    return this.#guard(() => this.#views.bucketsOf(segment, entry));
  }

  /**
   * The evidence of a view's segments, for another thread; good while the view is held. Throws `busy` as
   * {@link contactAt}.
   */
  evidenceIn(view: ContactView): readonly ColdEvidence[] {
    return this.#views.evidenceIn(view);
  }

  /**
   * Evidence read on another thread: damage met there is this store's. Throws `busy` if it was begun anew meanwhile.
   */
  async guarding<T>(read: () => Promise<T>): Promise<T> {
    const views = this.#views;
    try {
      return await read();
    } catch (error) {
      if (views !== this.#views) throw begunAnew(); // the files went while it read
      return this.#guard((): never => {
        throw error;
      });
    }
  }

  /** Start of the first and end of the last contact, unix seconds; undefined before there is one. */
  span(): Span | undefined {
    return spanOf(this.#assembly.writer);
  }

  status(): ContactStatus {
    return statusOf(this.#assembly.writer);
  }

  /** Resolves when nothing is left to be sealed or compacted for now. Throws what failed. */
  async settled(): Promise<void> {
    await this.#assembly.sealer?.settled();
  }

  /**
   * Saves the contacts as they stand, together with how far in the ledger they reach and what else the owner wants to
   * find again: sections whole, parts as they change. In memory it does nothing. Throws what the disk throws, and
   * {@link damage}; then what was saved before is what is found.
   */
  async save(
    position: LedgerPosition,
    sections: Sections = new Map(),
    parts: readonly PartChange[] = [],
  ): Promise<void> {
    const { writer, sealer, keeper } = this.#assembly;
    this.#throwDamage();
    if (sealer === undefined) return;
    await keeper.prepare(writer, this.#keepFrom);
    this.#throwDamage(); // others had their turns meanwhile
    const state = encodeSections(new Map([...sections, [LIVE_SECTION, encodeKeepFrom(this.#keepFrom)]]));
    const changes = [...parts, ...keeper.changes(writer, this.#keepFrom)];
    await sealer.commit(position, state, changes).catch((error: unknown) => {
      if (hasStopped(error)) this.#damage = error;
      throw error;
    });
    keeper.saved();
    this.#isTriedAgain = false;
    this.#views.forget();
    sealer.nudge();
  }

  /**
   * Opens what was saved last again, as after a restart, and goes on from its {@link position}. Begins with nothing
   * when what lies on the disk is damaged, or when opening it again did not help the time before; a store that
   * stopped at an error of the disk is always opened again. Views from before are `busy` as soon as this begins.
   * Throws what the disk throws; then it has to be called once more.
   */
  async beginAnew(): Promise<void> {
    const damage = this.damage;
    const isFault = damage !== undefined && !isDamaged(damage) && (hasStopped(damage) || !this.#isTriedAgain);
    this.#views = new ViewBook(this.#assembly); // those that were taken so far name files that are about to be closed
    await this.#assembly.sealer?.close();
    this.#assembly = await (isFault ? this.#beginnings.saved() : this.#beginnings.empty());
    this.#isTriedAgain = isFault;
    this.#views = new ViewBook(this.#assembly);
    this.#damage = undefined;
    this.#keepFrom = this.#assembly.keepFrom;
  }

  #lastingWriter(): LiveWriter {
    const { writer } = this.#assembly;
    if (writer.version < LAST_VERSION) return writer;
    throw new FirebreakError(
      'full',
      `${LAST_VERSION} changes of contacts are all that one life of the store counts`,
    );
  }

  #throwDamage(): void {
    if (this.damage !== undefined) throw this.damage;
  }

  #orDamage(change: () => void): void {
    try {
      change();
    } catch (error) {
      this.#damage = asError(error);
      throw error;
    }
  }

  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (isDamaged(error)) this.#damage = error;
      throw error;
    }
  }

  /** Saves nothing: what was not saved is read from the ledger again. */
  async close(): Promise<void> {
    await this.#assembly.sealer?.close();
  }
}
