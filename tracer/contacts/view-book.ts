/** The views that were taken of a store since it was begun, and what the places in them stand for. */
import type { BucketSeconds } from '../../protocol/tag/encounter-record.js';
import { AskerError } from '../asker-error.js';
import type { Contact } from '../contact.js';
import type { ColdEvidence } from './cold-evidence.js';
import { contactOfSides, sidesOfRow } from './live-contact.js';
import type { StoreAssembly } from './store-assembly.js';
import type { LiveRows } from './live-table.js';
import type { SealedSegment } from './sealed-segment.js';
import type { Segment } from './segment.js';
import type { ContactView, LiveTable, Place } from './view.js';

/** Of a view from before the store was begun anew. */
export const begunAnew = (): AskerError =>
  new AskerError('busy', 'the contacts were begun anew, and are read again from the ledger: ask once more');

export class ViewBook {
  readonly #assembly: StoreAssembly;
  /** Whoever holds a view holds what its places stand for. */
  readonly #rowsOf = new WeakMap<LiveTable, LiveRows>();
  readonly #sealedOf = new WeakMap<Segment, SealedSegment>();
  /** Until something changes. */
  #latest: { readonly view: ContactView; readonly changes: number } | undefined;

  constructor(assembly: StoreAssembly) {
    this.#assembly = assembly;
  }

  /** The contacts as they stand, but for those that ended before `keepFrom`, unix seconds. */
  take(keepFrom: number): ContactView {
    const { writer, sealer } = this.#assembly;
    const { version, people, tables, sealed } = writer;
    const changes = sealer?.changes ?? 0;
    const latest = this.#latest;
    if (latest?.changes === changes && this.#isCurrent(latest.view, keepFrom)) return latest.view;
    for (const rows of tables) this.#rowsOf.set(rows.table, rows);
    for (const one of sealed.list) this.#sealedOf.set(one.segment, one);
    const view = {
      version,
      people: people.view(),
      segments: sealed.list.map(({ segment }) => segment),
      live: tables.map(({ table }) => table),
      replaced: sealed.replacedView(),
      keepFrom,
    };
    this.#latest = { view, changes };
    return view;
  }

  /** Lets go of the latest view: what was taken out of the store can go once nobody else holds one. */
  forget(): void {
    this.#latest = undefined;
  }

  /**
   * A contact of a view of this book, as it stood then. Throws `damaged` when its evidence is, `busy` for
   * another's view.
   */
  contactAt(view: ContactView, { table, isLive, at }: Place): Contact {
    const { people } = this.#assembly.writer;
    const tagOf = (person: number): number => people.tagOf(person);
    if (isLive) {
      const live = view.live.find(({ id }) => id === table);
      const rows = live && this.#rowsOf.get(live);
      if (live === undefined || rows === undefined) throw begunAnew();
      const row = rows.read(live.firstVersion + at);
      return contactOfSides(row, sidesOfRow(row), tagOf);
    }
    const cold = this.#sealedSegment(view.segments.find(({ id }) => id === table)).contactAt(at);
    return contactOfSides(cold, cold.accounts, tagOf);
  }

  /** Seconds of each bucket of an entry of a segment of such a view. Throws as {@link contactAt}. */
  bucketsOf(segment: Segment, entry: number): BucketSeconds {
    return this.#sealedSegment(segment).contactAt(entry).bucketSeconds;
  }

  /** The evidence of all segments of such a view. Throws `busy` for another's. */
  evidenceIn(view: ContactView): readonly ColdEvidence[] {
    return view.segments.map((segment) => this.#sealedSegment(segment).evidence);
  }

  #sealedSegment(segment: Segment | undefined): SealedSegment {
    const sealed = segment && this.#sealedOf.get(segment);
    if (sealed === undefined) throw begunAnew();
    return sealed;
  }

  /** People come without a contact too: those whom a gateway saw. */
  #isCurrent(view: ContactView, keepFrom: number): boolean {
    const { version, people } = this.#assembly.writer;
    return view.version === version && view.people.count === people.count && view.keepFrom === keepFrom;
  }
}
