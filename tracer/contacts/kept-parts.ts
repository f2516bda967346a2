/**
 * What the owner of a contact store keeps beside its state, under names of its own choice, each part in a file:
 * what only grows is written at the end of its file, so that keeping it costs what is new and not what is
 * there. The manifest says how far each file counts, and the checksum of that much; what an unfinished change
 * left behind it is written over by the next.
 *
 * A cold part does not change, and of it only the head is read and checked when the store is opened: it vouches
 * for the rest, which whoever kept it reads where it lies.
 */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { FirebreakError } from '../../protocol/errors.js';
import type { PartInfo } from './manifest.js';
import { putFile, withFile } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';

/** By name, in the order they came to be; of a cold part its head. */
export type KeptParts = ReadonlyMap<string, Uint8Array>;

/** Where the file of a cold part is, by its name; `undefined` when none is kept under it. */
export type ColdPath = (name: string) => string | undefined;

export type PartChange =
  /**
   * `append`: the bytes go to the end of the part, which is made if there is none. `put`: they are all of it
   * from now on.
   */
  | { readonly kind: 'append' | 'put'; readonly name: string; readonly bytes: Uint8Array }
  /** As `put`, and the part is cold: its first `headBytes` bytes are its head. */
  | {
      readonly kind: 'cold';
      readonly name: string;
      readonly bytes: Uint8Array;
      readonly headBytes: number;
    }
  /** The part goes, with its file. */
  | { readonly kind: 'remove'; readonly name: string };

export const partFile = (number: number): string => `part-${number}`;

/**
 * All parts that the manifest names; of cold ones only their heads. Throws `damaged` for a part that is not what the
 * manifest says, and what the disk throws.
 */
export async function readParts(
  disk: StoreDisk,
  dir: string,
  parts: readonly PartInfo[],
): Promise<Map<string, Uint8Array>> {
  const read = new Map<string, Uint8Array>();
  for (const part of parts) {
    const path = join(dir, partFile(part.file));
    const found = await withFile(disk, path, 'r', (fd) => readPart(disk, fd, part));
    if (found === undefined) throw new FirebreakError('damaged', `${path} was changed or cut short`);
    read.set(part.name, found);
  }
  return read;
}

async function readPart(
  disk: StoreDisk,
  fd: number,
  { bytes, checksum, headBytes = bytes }: PartInfo,
): Promise<Uint8Array | undefined> {
  if ((await disk.size(fd)) < bytes) return undefined;
  const found = new Uint8Array(headBytes);
  const read = await disk.read(fd, found, 0);
  return read === headBytes && crc32(found) === checksum ? found : undefined;
}

/**
 * Writes the changes, in their order, to files that count once a manifest has what this gives; of one part only
 * a removal may come before another. Rejects with what the disk says; then what counted before still does, and
 * the same can be asked for again.
 */
export async function writeParts(
  disk: StoreDisk,
  dir: string,
  before: readonly PartInfo[],
  changes: readonly PartChange[],
  newFile: () => number,
): Promise<PartInfo[]> {
  const parts = new Map(before.map((part) => [part.name, part]));
  for (const change of changes) {
    const known = parts.get(change.name);
    if (change.kind === 'remove') parts.delete(change.name);
    else if (change.kind === 'append' && known)
      parts.set(known.name, await append(disk, dir, known, change.bytes));
    else parts.set(change.name, await put(disk, dir, newFile(), change));
  }
  return [...parts.values()];
}

async function append(disk: StoreDisk, dir: string, part: PartInfo, bytes: Uint8Array): Promise<PartInfo> {
  await withFile(disk, join(dir, partFile(part.file)), 'r+', async (fd) => {
    await disk.write(fd, bytes, part.bytes);
    await disk.sync(fd);
  });
  return { ...part, bytes: part.bytes + bytes.length, checksum: crc32(bytes, part.checksum) };
}

async function put(
  disk: StoreDisk,
  dir: string,
  file: number,
  change: Exclude<PartChange, { kind: 'remove' }>,
): Promise<PartInfo> {
  const { kind, name, bytes } = change;
  await putFile(disk, join(dir, partFile(file)), bytes);
  if (kind !== 'cold') return { name, file, bytes: bytes.length, checksum: crc32(bytes) };
  const { headBytes } = change;
  return { name, file, bytes: bytes.length, headBytes, checksum: crc32(bytes.subarray(0, headBytes)) };
}
