/**
 * Moves a store from one manifest to the next: whatever fails or ends on the way, the folder holds one of the
 * two whole.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { partFile, writeParts } from './kept-parts.js';
import type { PartChange } from './kept-parts.js';
import { encodeManifest } from './manifest.js';
import type { LedgerPosition, Manifest, SegmentInfo } from './manifest.js';
import { encodePeople } from './people-file.js';
import type { PeopleDirectory } from './people.js';
import { putFile, withFile } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';
import {
  evidenceFile,
  MANIFEST_FILE,
  NEW_MANIFEST_FILE,
  peopleFile,
  segmentFile,
  stateFile,
} from './store-open.js';
import type { FoundStore } from './store-open.js';

export interface ManifestChange {
  readonly nextId: number;
  readonly add: readonly SegmentInfo[];
  readonly remove: readonly number[];
  readonly position: LedgerPosition | undefined;
  readonly state: Uint8Array | undefined;
  readonly parts: readonly PartChange[];
}

/** Its commits come one after another: the caller waits for one before the next. */
export class StoreCommitter {
  readonly #disk: StoreDisk;
  readonly #dir: string;
  readonly #people: PeopleDirectory;
  #manifest: Manifest;
  /** The people's file can be added to. */
  #isPeopleWhole: boolean;
  #nextFile: number;
  /** Files of the change under way, which nobody names before it is done. */
  #fresh: string[] = [];
  #failure: Error | undefined;

  constructor(disk: StoreDisk, dir: string, { manifest, people, isPeopleWhole }: FoundStore) {
    this.#disk = disk;
    this.#dir = dir;
    this.#people = people;
    this.#manifest = manifest;
    this.#isPeopleWhole = isPeopleWhole;
    this.#nextFile =
      1 +
      Math.max(manifest.people.file, manifest.state?.file ?? 0, ...manifest.parts.map(({ file }) => file));
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /**
   * Resolves when the change is on the disk. When it rejects before the manifest is replaced, nothing has
   * changed and it can be asked for again; when nobody can tell any more, the store is to be opened anew:
   * `closed` from then on.
   */
  async commit(change: ManifestChange): Promise<void> {
    if (this.#failure !== undefined)
      throw new FirebreakError(
        'closed',
        `the contact store in ${this.#dir} stopped at an error (${this.#failure.message}): open it again`,
        { cause: this.#failure },
      );
    const before = this.#manifest;
    this.#fresh = [];
    const next = await this.#written(change).catch(async (error: unknown) => {
      if (this.#failure === undefined) for (const name of this.#fresh) await this.#removeFile(name);
      throw error;
    });
    this.#manifest = next;
    this.#isPeopleWhole = true;
    await this.#removeOld(before, next);
  }

  async #written(change: ManifestChange): Promise<Manifest> {
    const before = this.#manifest;
    const next = {
      ...before,
      position: change.position ?? before.position,
      nextId: change.nextId,
      people: await this.#savePeople(before.people),
      state: change.state === undefined ? before.state : await this.#saveState(change.state),
      parts: await writeParts(this.#disk, this.#dir, before.parts, change.parts, () =>
        this.#newFile(partFile),
      ),
      segments: [...before.segments.filter(({ id }) => !change.remove.includes(id)), ...change.add],
    };
    await this.#replace(next);
    return next;
  }

  #newFile(nameOf: (number: number) => string): number {
    const number = this.#nextFile++;
    this.#fresh.push(nameOf(number));
    return number;
  }

  async #removeFile(name: string): Promise<void> {
    await this.#disk.remove(join(this.#dir, name)).catch(() => undefined);
  }

  async #savePeople(saved: Manifest['people']): Promise<Manifest['people']> {
    const count = this.#people.count;
    if (!this.#isPeopleWhole) {
      const [file, bytes] = [this.#newFile(peopleFile), encodePeople(this.#people, 0, count)];
      await putFile(this.#disk, join(this.#dir, peopleFile(file)), bytes);
      return { file, bytes: bytes.length, count };
    }
    if (count === saved.count) return saved;
    const bytes = encodePeople(this.#people, saved.count, count);
    const path = join(this.#dir, peopleFile(saved.file));
    await withFile(this.#disk, path, saved.bytes === 0 ? 'w' : 'r+', async (fd) => {
      await this.#disk.write(fd, bytes, saved.bytes);
      await this.#disk.sync(fd);
    });
    return { file: saved.file, bytes: saved.bytes + bytes.length, count };
  }

  async #saveState(state: Uint8Array): Promise<Manifest['state']> {
    const file = this.#newFile(stateFile);
    await putFile(this.#disk, join(this.#dir, stateFile(file)), state);
    return { file, bytes: state.length, checksum: crc32(state) };
  }

  async #replace(next: Manifest): Promise<void> {
    const fresh = join(this.#dir, NEW_MANIFEST_FILE);
    await putFile(this.#disk, fresh, encodeManifest(next));
    await this.#disk.syncFolder(this.#dir);
    try {
      await this.#disk.rename(fresh, join(this.#dir, MANIFEST_FILE));
      await this.#disk.syncFolder(this.#dir);
    } catch (error) {
      this.#failure = asError(error);
      throw error;
    }
  }

  /** What cannot be removed now goes when the store is opened again. */
  async #removeOld(before: Manifest, next: Manifest): Promise<void> {
    const kept = new Set(next.segments.map(({ id }) => id));
    const gone = before.segments.flatMap(({ id }) =>
      kept.has(id) ? [] : [segmentFile(id), evidenceFile(id)],
    );
    if (before.people.file !== next.people.file) gone.push(peopleFile(before.people.file));
    if (before.state && before.state.file !== next.state?.file) gone.push(stateFile(before.state.file));
    const parts = new Set(next.parts.map(({ file }) => file));
    gone.push(...before.parts.flatMap(({ file }) => (parts.has(file) ? [] : [partFile(file)])));
    for (const name of gone) await this.#removeFile(name);
  }
}
