/**
 * The tracer's contacts: live tables for what comes in, segments for what is older, and views of both for walks. With a
 * folder it survives: whoever keeps a ledger's place saves it together with what it remembers, and finds both again.
 */
import { rm } from 'node:fs/promises';
import { setImmediate as breathe } from 'node:timers/promises';
import type { TagNumber } from '../../protocol/brands.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { BucketSeconds } from '../../protocol/encounter-record.js';
import type { Contact } from '../contact.js';
import { encodeSections } from '../state-sections.js';
import type { Sections } from '../state-sections.js';
import type { Testimony } from '../testimony.js';
import type { ColdEvidence } from './cold-evidence.js';
import { contactOfSides, sidesOfRow } from './live-contact.js';
import { takeColumns, takeTestimonies } from './live-intake.js';
import { LIVE_SECTION, partsIn, partsInMemory, TABLE_ROWS } from './live-parts.js';
import type { ContactStoreSettings, Parts } from './live-parts.js';
import type { SealedSegment } from './live-sealed.js';
import { writeLive } from './live-state.js';
import type { LiveRows } from './live-table.js';
import type { LedgerPosition } from './manifest.js';
import type { Segment } from './segment.js';
import type { ContactView, LiveTable, Place } from './view.js';

export interface ContactStatus {
  readonly contacts: number;
  /** Contacts that both sides reported. */
  readonly mutual: number;
  readonly people: number;
  /** Of the contacts, those in live tables. */
  readonly live: number;
  readonly liveBytes: number;
  readonly segments: number;
}

/** Contacts of columns that are taken before others on this thread have their turn. */
const BULK_AT_ONCE = 4096;

/** A store that keeps nothing beyond its process, and seals nothing. */
export function memoryContactStore(tableRows = TABLE_ROWS): ContactStore {
  return new ContactStore(partsInMemory(tableRows), async () => partsInMemory(tableRows));
}

/**
 * Opens the store in this folder, or makes one there. What is damaged is said in the log and removed: the store is empty then,
 * to be filled from the ledger again. Throws `format` for a folder that another version of this program wrote, and leaves it as it
 * is; what the disk does, and the reason of the signal.
 */
export async function openContactStore(dir: string, settings: ContactStoreSettings): Promise<ContactStore> {
  const fresh = async (): Promise<Parts> => {
    await rm(dir, { recursive: true, force: true });
    return partsIn(dir, settings);
  };
  const parts = await partsIn(dir, settings).catch((error: unknown) => {
    if (!(error instanceof FirebreakError)) throw error;
    if (error.code === 'format') throw otherVersion(dir, error);
    if (error.code !== 'damaged') throw error;
    settings.log.warn('the contact store is damaged; it is filled from the ledger again', {
      why: error.message,
    });
    return fresh();
  });
  return new ContactStore(parts, fresh);
}

export class ContactStore {
  #parts: Parts;
  readonly #fresh: () => Promise<Parts>;
  /** Whoever holds a view holds what its places stand for. */
  #rowsOf = new WeakMap<LiveTable, LiveRows>();
  #sealedOf = new WeakMap<Segment, SealedSegment>();
  /** Until something changes. */
  #view: { readonly view: ContactView; readonly changes: number } | undefined;
  #keepFrom: number;
  #damage: Error | undefined;

  /** `fresh`: begins anew, with nothing. */
  constructor(parts: Parts, fresh: () => Promise<Parts>) {
    this.#parts = parts;
    this.#fresh = fresh;
    this.#keepFrom = parts.keepFrom;
  }

  /** How far in the ledger its contacts reached when it was opened, and what was saved with them, by name. */
  get position(): LedgerPosition {
    return this.#parts.position;
  }

  get kept(): Sections {
    return this.#parts.kept;
  }

  /** Whether {@link save} would make something last that was sealed, or let something go that is past retention. */
  get wantsSave(): boolean {
    return this.#parts.sealer?.hasUncommitted ?? false;
  }

  /** What makes its contacts not to be believed any more: {@link clear} is all that helps. */
  get damage(): Error | undefined {
    return this.#damage ?? this.#parts.sealer?.damage;
  }

  /** The dense number of a tag, a new one for one that nobody met yet. */
  personOf(tag: TagNumber): number {
    return this.#parts.writer.people.add(tag);
  }

  tagOf(person: number): number {
    return this.#parts.writer.people.tagOf(person);
  }

  /** Resolves when there is room for more. Throws what keeps contacts from being sealed. */
  async ready(): Promise<void> {
    await this.#parts.sealer?.ready();
  }

  /**
   * Takes what was told; what is known already changes nothing. In views from the next one on. Throws what keeps sealed evidence
   * that a word belongs to from being read, and what the process lacks memory for; it is {@link damage} then.
   */
  add(testimonies: readonly Testimony[]): void {
    const kept = testimonies.filter(({ end }) => end >= this.#keepFrom);
    this.wholly(() => takeTestimonies(this.#parts.writer, kept));
    this.#parts.sealer?.nudge();
  }

  /**
   * Makes a change of which no part may stand without the rest, such as contacts and what is remembered of the reports that told
   * them. Throws what it throws, which is {@link damage} then: nobody can say how far it came, so all is to be read anew.
   */
  wholly<T>(change: () => T): T {
    try {
      return change();
    } catch (error) {
      this.#damage = asError(error);
      throw error;
    }
  }

  /** Takes contacts that no ledger holds; others have their turns meanwhile. Throws as {@link add} and {@link ready} do. */
  async addBulk(columns: ContactColumns): Promise<void> {
    const { writer, sealer } = this.#parts;
    for (let from = 0; from < columns.count; from += BULK_AT_ONCE) {
      await sealer?.ready();
      const to = Math.min(from + BULK_AT_ONCE, columns.count);
      this.wholly(() => takeColumns(writer, columns, from, to, this.#keepFrom));
      sealer?.nudge();
      await breathe();
    }
  }

  /**
   * Forgets contacts that ended before this time, unix seconds, and takes none any more: no view from the next one on shows
   * them, and the files of segments are rid of them as soon as these are written anew. It never goes back.
   */
  expireBefore(seconds: number): void {
    if (seconds <= this.#keepFrom) return;
    this.#keepFrom = seconds;
    this.#parts.writer.expireBefore(seconds);
    this.#parts.sealer?.expireBefore(seconds);
  }

  /** The contacts as they stand. */
  view(): ContactView {
    const { version, people, tables, sealed } = this.#parts.writer;
    const changes = this.#parts.sealer?.changes ?? 0;
    if (this.#view && this.#view.changes === changes && this.#isCurrent(this.#view.view))
      return this.#view.view;
    for (const rows of tables) this.#rowsOf.set(rows.table, rows);
    for (const one of sealed.list) this.#sealedOf.set(one.segment, one);
    const view = {
      version,
      people: people.view(),
      segments: sealed.list.map(({ segment }) => segment),
      live: tables.map(({ table }) => table),
      replaced: sealed.replacedView(),
      keepFrom: this.#keepFrom,
    };
    this.#view = { view, changes };
    return view;
  }

  /**
   * A contact of a view of this store in full, as it stood then. Throws `damaged` when its evidence cannot be read, `busy` for
   * a view from before the store was begun anew.
   */
  contactAt(view: ContactView, { table, isLive, at }: Place): Contact {
    const { people } = this.#parts.writer;
    const tagOf = (person: number): number => people.tagOf(person);
    if (isLive) {
      const live = view.live.find(({ id }) => id === table);
      const rows = live && this.#rowsOf.get(live);
      if (live === undefined || rows === undefined) throw begunAnew();
      const row = rows.read(live.firstVersion + at);
      return contactOfSides(row, sidesOfRow(row), tagOf);
    }
    const segment = view.segments.find(({ id }) => id === table);
    const sealed = segment && this.#sealedOf.get(segment);
    if (sealed === undefined) throw begunAnew();
    const cold = this.#guard(() => sealed.contactAt(at));
    return contactOfSides(cold, cold.accounts, tagOf);
  }

  /** Seconds of each bucket of an entry of a segment of a view of this store. Throws as {@link contactAt}. */
  bucketsOf(segment: Segment, entry: number): BucketSeconds {
    const sealed = this.#sealedOf.get(segment);
    if (sealed === undefined) throw begunAnew();
    return this.#guard(() => sealed.contactAt(entry).bucketSeconds);
  }

  /** The evidence of all segments of a view, for a thread that reads it for itself; good while the view is held. */
  evidenceIn(view: ContactView): readonly ColdEvidence[] {
    return view.segments.flatMap((segment) => this.#sealedOf.get(segment)?.evidence ?? []);
  }

  /** For who reads evidence elsewhere: damage that is met there is this store's. */
  async guarding<T>(read: () => Promise<T>): Promise<T> {
    const parts = this.#parts;
    try {
      return await read();
    } catch (error) {
      if (parts !== this.#parts) throw begunAnew(); // the files went while it read
      return this.#guard((): never => {
        throw error;
      });
    }
  }

  /** Start of the first and end of the last contact, unix seconds; undefined before there is one. */
  span(): { readonly from: number; readonly to: number } | undefined {
    const { tables, sealed } = this.#parts.writer;
    const segments = sealed.list.map(({ segment }) => segment);
    const starts = [...tables.map(({ firstStart }) => firstStart), sealed.firstStart];
    const ends = [...tables.map(({ lastEnd }) => lastEnd), ...segments.map((s) => s.lastSeconds)];
    const [from, to] = [Math.min(...starts), Math.max(...ends)];
    return to < from ? undefined : { from, to };
  }

  status(): ContactStatus {
    const { writer } = this.#parts;
    const { contacts, mutual, met: people, liveContacts: live, bytes: liveBytes, sealed } = writer;
    return { contacts, mutual, people, live, liveBytes, segments: sealed.list.length };
  }

  /** Resolves when nothing is left to be sealed or compacted for now. Throws what failed. */
  async settled(): Promise<void> {
    await this.#parts.sealer?.settled();
  }

  /**
   * Makes the contacts as they stand last, together with the place in the ledger that they reach to and what else is to be found
   * again. In memory it does nothing. Throws what the disk does, and {@link damage}; then what was saved before is what is found.
   */
  async save(position: LedgerPosition, sections: Sections = new Map()): Promise<void> {
    const { writer, sealer } = this.#parts;
    if (this.damage !== undefined) throw this.damage;
    if (sealer === undefined) return;
    const live = writeLive(this.#keepFrom, writer.tables, writer.sealed.kept());
    await sealer.commit(position, encodeSections(new Map([...sections, [LIVE_SECTION, live]])));
    this.#view = undefined; // what was taken out of the store can go once no view holds it
    sealer.nudge();
  }

  /** Begins anew with nothing, as when what there is proves damaged. */
  async clear(): Promise<void> {
    await this.#parts.sealer?.close();
    this.#parts = await this.#fresh();
    this.#rowsOf = new WeakMap();
    this.#sealedOf = new WeakMap();
    this.#view = undefined;
    this.#damage = undefined;
    this.#keepFrom = this.#parts.keepFrom;
  }

  /** People come without a contact too: those whom a gateway saw. */
  #isCurrent({ version, people, keepFrom }: ContactView): boolean {
    const { writer } = this.#parts;
    return version === writer.version && people.count === writer.people.count && keepFrom === this.#keepFrom;
  }

  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof FirebreakError && error.code === 'damaged') this.#damage = error;
      throw error;
    }
  }

  /** What was not saved is read from the ledger again. */
  async close(): Promise<void> {
    await this.#parts.sealer?.close();
  }
}

const otherVersion = (dir: string, cause: FirebreakError): FirebreakError =>
  new FirebreakError(
    'format',
    `another version of this program wrote the contact store in ${dir} (${cause.message}): run that one, or remove the ` +
      'folder, and the contacts are read from the ledger again',
    { cause },
  );

/** Of a view from before {@link ContactStore.clear}. */
const begunAnew = (): FirebreakError =>
  new FirebreakError('busy', 'the contacts were damaged and are read again from the ledger: ask once more');
