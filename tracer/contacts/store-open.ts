/** Finds what a folder holds of a contact store, and what of it is damaged. */
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { closeColdEvidence, openColdEvidence } from './cold-evidence.js';
import type { ColdEvidence } from './cold-evidence.js';
import { partFile, readParts } from './kept-parts.js';
import type { KeptParts } from './kept-parts.js';
import { decodeManifest, EMPTY_MANIFEST } from './manifest.js';
import type { Manifest, SegmentInfo } from './manifest.js';
import { decodePeople } from './people-file.js';
import type { PeopleDirectory } from './people.js';
import type { SegmentPaths } from './seal.js';
import { readSegmentFile } from './segment-file.js';
import type { Segment } from './segment.js';
import { getFile } from './store-disk.js';
import type { StoreDisk } from './store-disk.js';

export const MANIFEST_FILE = 'manifest.json';
export const NEW_MANIFEST_FILE = 'manifest.json.new';
const OURS = /^(\d+\.segment|\d+\.evidence|people-\d+|state-\d+|part-\d+|manifest\.json\.new)$/;

export const peopleFile = (number: number): string => `people-${number}`;
export const stateFile = (number: number): string => `state-${number}`;
export const segmentFile = (id: number): string => `${id}.segment`;
export const evidenceFile = (id: number): string => `${id}.evidence`;

export const pathsIn = (dir: string, id: number): SegmentPaths => ({
  segment: join(dir, segmentFile(id)),
  evidence: join(dir, evidenceFile(id)),
});

/** A segment that is part of the store, or about to be. */
export interface StoredSegment {
  readonly info: SegmentInfo;
  readonly segment: Segment;
  readonly evidence: ColdEvidence;
}

/** What could not be read, and has to be made again from the ledger. */
export interface Damage {
  /**
   * Id of a segment; `undefined`: what the caller kept in `state` or `parts` is lost, and with it the ledger
   * position.
   */
  readonly segment: number | undefined;
  /** Contacts of this time are missing, unix seconds; of the state, 0 and 0. */
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** For people. */
  readonly message: string;
}

export interface FoundStore {
  readonly manifest: Manifest;
  readonly people: PeopleDirectory;
  /** `false`: the file of people is damaged, and has to be written anew. */
  readonly isPeopleWhole: boolean;
  readonly segments: readonly StoredSegment[];
  readonly state: Uint8Array | undefined;
  /** None when one of them is damaged. */
  readonly parts: KeptParts;
  readonly damage: readonly Damage[];
}

export interface OpenOptions {
  /** Told the bytes of segments that were read, and how many there are. */
  readonly onProgress?: (bytes: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Reads all that the manifest in `dir` names, and removes what an earlier life left unfinished. An empty folder,
 * or none, is an empty store.
 *
 * Throws `damaged` for a manifest that cannot be believed, `format` for a file of another version; the signal's
 * reason. What else is damaged is told in `damage`.
 */
export async function findStore(disk: StoreDisk, dir: string, options: OpenOptions): Promise<FoundStore> {
  await disk.makeFolder(dir);
  const names = await disk.list(dir);
  const path = join(dir, MANIFEST_FILE);
  const manifest = names.includes(MANIFEST_FILE)
    ? decodeManifest(path, await getFile(disk, path))
    : EMPTY_MANIFEST;
  await sweep(disk, dir, names, manifest);
  const people = decodePeople(await readPeople(disk, dir, manifest), manifest.people.count);
  const isPeopleWhole = people.count === manifest.people.count;
  const { segments, damage } = await readSegments(disk, dir, manifest, people.count, options);
  try {
    const found = { manifest, people, isPeopleWhole, segments };
    return { ...found, ...(await readKept(disk, dir, manifest, damage)) };
  } catch (error) {
    for (const { evidence } of segments) closeColdEvidence(evidence);
    throw error;
  }
}

/** State and parts; what is lost of them is added to the damage. */
async function readKept(
  disk: StoreDisk,
  dir: string,
  manifest: Manifest,
  damage: readonly Damage[],
): Promise<Pick<FoundStore, 'state' | 'parts' | 'damage'>> {
  const lost = [...damage];
  const state = await readState(disk, dir, manifest);
  if (manifest.state !== null && state === undefined)
    lost.push(lostState(`${join(dir, stateFile(manifest.state.file))} was changed or is gone`));
  const parts = await unlessLost(() => readParts(disk, dir, manifest.parts));
  if (!(parts instanceof Error)) return { state, parts, damage: lost };
  return { state, parts: new Map(), damage: [...lost, lostState(parts.message)] };
}

async function sweep(
  disk: StoreDisk,
  dir: string,
  names: readonly string[],
  manifest: Manifest,
): Promise<void> {
  const named = new Set([
    peopleFile(manifest.people.file),
    ...(manifest.state ? [stateFile(manifest.state.file)] : []),
    ...manifest.parts.map(({ file }) => partFile(file)),
    ...manifest.segments.flatMap(({ id }) => [segmentFile(id), evidenceFile(id)]),
  ]);
  for (const name of names) if (OURS.test(name) && !named.has(name)) await disk.remove(join(dir, name));
}

/** What the manifest counts of it: beyond is what was not finished. */
async function readPeople(disk: StoreDisk, dir: string, { people }: Manifest): Promise<Uint8Array> {
  if (people.bytes === 0) return new Uint8Array(0);
  const bytes = await unlessLost(() => getFile(disk, join(dir, peopleFile(people.file))));
  return bytes instanceof Error ? new Uint8Array(0) : bytes.subarray(0, people.bytes);
}

async function readState(disk: StoreDisk, dir: string, { state }: Manifest): Promise<Uint8Array | undefined> {
  if (state === null) return undefined;
  const bytes = await unlessLost(() => getFile(disk, join(dir, stateFile(state.file))));
  if (bytes instanceof Error || bytes.length !== state.bytes || crc32(bytes) !== state.checksum)
    return undefined;
  return bytes;
}

const lostState = (why: string): Damage => ({
  segment: undefined,
  fromSeconds: 0,
  toSeconds: 0,
  message: `${why}: the ledger is read again from its start`,
});

async function readSegments(
  disk: StoreDisk,
  dir: string,
  manifest: Manifest,
  people: number,
  { onProgress, signal }: OpenOptions,
): Promise<{ segments: StoredSegment[]; damage: Damage[] }> {
  const total = manifest.segments.reduce((sum, { segmentBytes }) => sum + segmentBytes, 0);
  const [segments, damage]: [StoredSegment[], Damage[]] = [[], []];
  let bytes = 0;
  const onBytes = (more: number): void => {
    signal?.throwIfAborted();
    onProgress?.((bytes += more), total);
  };
  try {
    for (const info of manifest.segments) {
      const read = await unlessLost(() => readStored(disk, dir, info, people, onBytes));
      if (read instanceof Error) damage.push(damageOf(info, read.message));
      else segments.push(read);
    }
  } catch (error) {
    for (const { evidence } of segments) closeColdEvidence(evidence);
    throw error;
  }
  return { segments, damage };
}

const damageOf = (info: SegmentInfo, message: string): Damage => ({
  segment: info.id,
  fromSeconds: info.baseSeconds,
  toSeconds: info.lastSeconds,
  message,
});

async function readStored(
  disk: StoreDisk,
  dir: string,
  info: SegmentInfo,
  people: number,
  onBytes: (bytes: number) => void,
): Promise<StoredSegment> {
  if (info.people > people)
    throw new FirebreakError('damaged', `the people of segment ${info.id} are lost: their file was changed`);
  const paths = pathsIn(dir, info.id);
  const { segment, checksum } = await readSegmentFile(disk, paths.segment, onBytes);
  const evidence = openColdEvidence(paths.evidence, info.id);
  if (checksum === info.segmentChecksum && evidence.checksum === info.evidenceChecksum)
    return { info, segment, evidence };
  closeColdEvidence(evidence);
  throw new FirebreakError('damaged', `segment ${info.id} in ${dir} is not the one that its manifest names`);
}

const LOST_CODES: ReadonlySet<string> = new Set(['ENOENT', 'EIO', 'damaged']);

/** The error, where it says that a file is gone or cannot be believed. Throws any other: the file may be well. */
async function unlessLost<T>(read: () => Promise<T>): Promise<T | Error> {
  try {
    return await read();
  } catch (thrown) {
    const error = asError(thrown);
    if ('code' in error && typeof error.code === 'string' && LOST_CODES.has(error.code)) return error;
    throw error;
  }
}
