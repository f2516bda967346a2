/**
 * The sealed part of the contact store: segments in memory and on disk, and a manifest that says which there are
 * (docs/contact-store.md).
 *
 * New segments are made beside what there is; {@link SegmentStore.commit} makes them part of the store, takes old ones
 * out and moves the ledger position and the caller's state, all at once or not at all. Files that no manifest names are
 * removed when the store is opened.
 */
import { join } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import { dayOf } from '../../protocol/time.js';
import { closeColdEvidence, contactAt, openColdEvidence } from './cold-evidence.js';
import type { ColdEvidence } from './cold-evidence.js';
import type { ColdContact } from './cold-contact.js';
import { importColumns } from './import-columns.js';
import { partFile } from './kept-parts.js';
import type { KeptParts, PartChange } from './kept-parts.js';
import type { LedgerPosition } from './manifest.js';
import type { PeopleDirectory } from './people.js';
import { infoOf } from './seal.js';
import type { MadeSegment } from './seal.js';
import { StoreCommitter } from './store-commit.js';
import { NODE_STORE_DISK } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';
import { findStore, pathsIn } from './store-open.js';
import type { Damage, FoundStore, OpenOptions, StoredSegment } from './store-open.js';
import type { TaskResults, Tasks } from './store-task.js';
import { runAlone, startTaskThread } from './task-thread.js';
import type { StartTaskThread } from './task-thread.js';
import type { Segment } from './segment.js';
import type { ToSeal } from './to-seal.js';

export interface StoreSettings extends OpenOptions {
  readonly disk?: StoreDisk;
  /** By default a thread for each task, which leaves no memory behind. */
  readonly startThread?: StartTaskThread;
  /** How many traces are being walked, in shared memory (walk-pool.ts): what threads do stands aside for them. */
  readonly walksUnderWay?: Int32Array | undefined;
}

export interface TaskOptions {
  readonly signal?: AbortSignal;
  /** Told what is under way, how much of it is done, and how much there is. */
  readonly onProgress?: (step: string, done: number, total: number) => void;
}

export interface Compaction {
  /** Of segments of the store; of contacts that start together those of the first come first. */
  readonly ids: readonly number[];
  /** By id: entries that were replaced, of either person. */
  readonly dropped?: ReadonlyMap<number, Uint32Array>;
  /** Contacts that end before this are left out, unix seconds. */
  readonly keepFrom?: number;
}

export interface StoreChange {
  /** Segments that were made, each once. */
  readonly add?: readonly StoredSegment[];
  /** Ids of segments of the store, also of those found damaged. */
  readonly remove?: readonly number[];
  readonly position?: LedgerPosition;
  /** Kept as it is, and given back when the store is opened. */
  readonly state?: Uint8Array;
  /** In the order they are to be made: see kept-parts.ts. */
  readonly parts?: readonly PartChange[];
}

/** Opens the store in `dir`, or makes one there. Throws as {@link findStore}. */
export async function openSegmentStore(dir: string, settings: StoreSettings = {}): Promise<SegmentStore> {
  const { disk = NODE_STORE_DISK, walksUnderWay } = settings;
  const { startThread = () => startTaskThread(walksUnderWay) } = settings;
  return new SegmentStore(dir, disk, startThread, await findStore(disk, dir, settings));
}

export class SegmentStore {
  readonly #dir: string;
  readonly #disk: StoreDisk;
  readonly #startThread: StartTaskThread;
  readonly #committer: StoreCommitter;
  readonly #segments: Map<number, StoredSegment>;
  /** Taken out of the store, but views may still ask for their contacts. */
  readonly #retired = new Map<number, ColdEvidence>();
  /** By id, the evidence of segments that were made and are not yet part of the store; their makers hold them. */
  readonly #prepared = new Map<number, ColdEvidence>();
  #nextId: number;
  #lastCommit: Promise<void> = Promise.resolve();
  #parts: KeptParts;
  readonly people: PeopleDirectory;
  /** `false`: some were lost when the store was opened. What names people by number, but for segments, is worthless. */
  readonly isPeopleWhole: boolean;
  /** Where the ledger was to be read on from when the store was opened: at its start, when `state` was lost. */
  readonly position: LedgerPosition;
  /** The caller's state when the store was opened; `undefined`: there was none, or it is damaged. */
  readonly state: Uint8Array | undefined;
  /** What was found damaged when the store was opened. It stays in the manifest until it is removed. */
  readonly damage: readonly Damage[];

  constructor(dir: string, disk: StoreDisk, startThread: StartTaskThread, found: FoundStore) {
    this.#dir = dir;
    this.#disk = disk;
    this.#startThread = startThread;
    this.#committer = new StoreCommitter(disk, dir, found);
    this.#segments = new Map(found.segments.map((stored) => [stored.info.id, stored]));
    this.#nextId = found.manifest.nextId;
    const isStateLost = found.damage.some(({ segment }) => segment === undefined);
    this.position = isStateLost ? { size: 0 } : found.manifest.position;
    this.people = found.people;
    this.isPeopleWhole = found.isPeopleWhole;
    this.state = found.state;
    this.#parts = found.parts;
    this.damage = found.damage;
  }

  /** In the order they came to be. */
  get segments(): readonly StoredSegment[] {
    return [...this.#segments.values()];
  }

  /** The parts as of when the store was opened. Handed out once, since they may be large; empty from then on. */
  takeParts(): KeptParts {
    const parts = this.#parts;
    this.#parts = new Map();
    return parts;
  }

  /** Where a cold part of the last commit is, by its name: see kept-parts.ts. */
  coldPath(name: string): string | undefined {
    const part = this.#committer.manifest.parts.find((one) => one.name === name);
    return part?.headBytes === undefined ? undefined : join(this.#dir, partFile(part.file));
  }

  /** Makes a segment of these contacts in a thread. Throws `input` for none, or for some of more than half a year. */
  async seal(contacts: ToSeal, { signal }: TaskOptions = {}): Promise<StoredSegment> {
    const id = this.#nextId++;
    const [people, paths] = [this.people.count, pathsIn(this.#dir, id)];
    const task = { kind: 'seal', id, people, contacts, paths } as const;
    return this.#make<'seal', StoredSegment>(task, { signal }, ({ lastStart, ...made }) =>
      this.#prepare(made, dayOf(lastStart), dayOf(lastStart)),
    );
  }

  /**
   * Makes one segment of several in a thread; they stay as they are. Gives `undefined` when nothing is left of them.
   * `onProgress` is told people. Throws `not-found` for a segment that is not in the store, `damaged` when its
   * evidence is.
   */
  async compact(compaction: Compaction, options: TaskOptions = {}): Promise<StoredSegment | undefined> {
    const { ids, dropped, keepFrom = 0 } = compaction;
    const stored = ids.map((id) => this.#segmentOf(id));
    const id = this.#nextId++;
    const parts = stored.map(({ info, segment, evidence }) => ({
      segment,
      evidencePath: evidence.path,
      dropped: dropped?.get(info.id) ?? new Uint32Array(0),
    }));
    const [people, paths] = [this.people.count, pathsIn(this.#dir, id)];
    const days = stored.flatMap(({ info }) => [info.firstDay, info.lastDay]);
    const task = { kind: 'compact', id, people, parts, keepFrom, paths } as const;
    return this.#make<'compact', StoredSegment | undefined>(
      task,
      options,
      (made) => made && this.#prepare(made, Math.min(...days), Math.max(...days)),
    );
  }

  /**
   * Builds the store from contact columns, each file of a day of its own (protocol/contact-columns.ts), in any order,
   * and commits it. Throws `exists` when there are people in the store already, and as {@link importColumns}.
   */
  async importColumns(
    files: readonly string[],
    { threads = 2, signal, onProgress }: TaskOptions & { readonly threads?: number } = {},
  ): Promise<void> {
    if (this.people.count > 0)
      throw new FirebreakError('exists', `there are contacts in ${this.#dir} already: name an empty folder`);
    const running = Array.from({ length: threads }, () => this.#startThread());
    try {
      const made = await importColumns(
        {
          disk: this.#disk,
          threads: running,
          people: this.people,
          newId: () => this.#nextId++,
          pathsOf: (id) => pathsIn(this.#dir, id),
          onProgress,
          signal,
        },
        files,
      );
      const add = made.map((segment) => this.#prepare(segment, segment.firstDay, segment.lastDay));
      await this.commit({ add });
    } finally {
      await Promise.all(running.map((thread) => thread.end()));
    }
  }

  /**
   * Makes the change; it is on the disk when this resolves. Commits are made in the order they are asked for. Evidence
   * of what is removed can be read until it is released. Throws as {@link StoreCommitter.commit}.
   */
  commit(change: StoreChange): Promise<void> {
    const committed = this.#lastCommit.then(() => this.#commit(change));
    this.#lastCommit = committed.catch(() => undefined);
    return committed;
  }

  /** Gives up a segment that was made, instead of committing it. */
  async discard(id: number): Promise<void> {
    const evidence = this.#prepared.get(id);
    if (!this.#prepared.delete(id) || evidence === undefined) return;
    closeColdEvidence(evidence);
    await this.#removeFiles(id);
  }

  /** What a contact rests on; of a segment taken out too, until it is released. Throws `not-found` and `damaged`. */
  contactAt(segment: Segment, entry: number): ColdContact {
    return contactAt(this.evidenceOf(segment.id), segment, entry);
  }

  /** To be posted to threads that read for themselves, with {@link contactAt}. Throws `not-found`. */
  evidenceOf(id: number): ColdEvidence {
    return this.#retired.get(id) ?? this.#segmentOf(id).evidence;
  }

  /** Lets go of the evidence of segments that were taken out: when no view names them any more. */
  release(ids: readonly number[]): void {
    for (const id of ids) {
      const evidence = this.#retired.get(id);
      if (this.#retired.delete(id) && evidence) closeColdEvidence(evidence);
    }
  }

  /** Waits for commits under way. Tasks that are under way end by their signals. */
  async close(): Promise<void> {
    await this.#lastCommit;
    this.release([...this.#retired.keys()]);
    for (const evidence of [
      ...[...this.#segments.values()].map(({ evidence }) => evidence),
      ...this.#prepared.values(),
    ])
      closeColdEvidence(evidence);
    this.#segments.clear();
    this.#prepared.clear();
  }

  async #commit({ add = [], remove = [], position, state, parts = [] }: StoreChange): Promise<void> {
    const infos = add.map(({ info }) => info);
    await this.#committer.commit({ nextId: this.#nextId, add: infos, remove, position, state, parts });
    for (const stored of add) {
      this.#prepared.delete(stored.info.id);
      this.#segments.set(stored.info.id, stored);
    }
    for (const id of remove) {
      const stored = this.#segments.get(id);
      if (this.#segments.delete(id) && stored) this.#retired.set(id, stored.evidence);
    }
  }

  #segmentOf(id: number): StoredSegment {
    const stored = this.#segments.get(id);
    if (stored !== undefined) return stored;
    throw new FirebreakError('not-found', `the contact store has no segment ${id}`);
  }

  #prepare(made: MadeSegment, firstDay: number, lastDay: number): StoredSegment {
    const { segment } = made;
    const { id } = segment;
    const info = infoOf(made, firstDay, lastDay);
    const stored = { info, segment, evidence: openColdEvidence(pathsIn(this.#dir, id).evidence, id) };
    this.#prepared.set(id, stored.evidence);
    return stored;
  }

  /** In a thread of its own, which the signal ends, and prepared; of what failed no files are left. */
  async #make<K extends 'seal' | 'compact', Prepared>(
    task: Tasks[K] & { readonly kind: string; readonly id: number; readonly people: number },
    { signal, onProgress }: { readonly [P in keyof TaskOptions]: TaskOptions[P] | undefined },
    prepare: (made: TaskResults[K]) => Prepared,
  ): Promise<Prepared> {
    const onPeople = (people: number): void => onProgress?.(task.kind, people, task.people);
    try {
      return prepare(await runAlone<K>(this.#startThread, task, { signal, onPeople }));
    } catch (error) {
      await this.#removeFiles(task.id);
      throw error;
    }
  }

  /** What cannot be removed now goes when the store is opened again. */
  async #removeFiles(id: number): Promise<void> {
    const { segment, evidence } = pathsIn(this.#dir, id);
    for (const path of [segment, evidence]) await this.#disk.remove(path).catch(() => undefined);
  }
}
