/**
 * The evidence of one contact of a segment, found by its entry. Plain objects: the index lies in shared memory
 * and the file is a descriptor, so that what is opened once can be posted to any thread of the process and
 * outlives the file's name.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { asEpoch } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';
import { EPOCH_SECONDS } from '../../protocol/time.js';
import { decodeDetails } from './cold-contact.js';
import type { ColdAccount, ColdContact, SideAccounts } from './cold-contact.js';
import {
  AT,
  damagedEvidence,
  decodeEvidenceHead,
  DETAILED,
  detailsAt,
  durationOf,
  EVIDENCE_HEAD_BYTES,
  flagsOf,
  INDEX_WORDS,
  MUTUAL,
  offsetIn,
  openBlock,
  PARTIAL,
  RECORD_WORDS,
} from './evidence-file.js';
import type { EvidenceBlock } from './evidence-file.js';
import { ownerOf, rankOf } from './segment-search.js';
import type { Segment } from './segment.js';
import { startAt } from './segment.js';

export interface ColdEvidence {
  readonly path: string;
  readonly fd: number;
  /** Id of the segment. */
  readonly segment: number;
  readonly contacts: number;
  readonly index: Uint32Array;
  /** Of the file's head, which vouches for all the rest. */
  readonly checksum: number;
}

/**
 * Opens the evidence file of this segment. Throws `damaged` for one that is not whole or another's; each block
 * is checked when read.
 */
export function openColdEvidence(path: string, segment: number): ColdEvidence {
  const fd = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(EVIDENCE_HEAD_BYTES);
    readSync(fd, bytes, 0, bytes.length, 0);
    const head = decodeEvidenceHead(path, bytes, fstatSync(fd).size);
    const index = new Uint32Array(new SharedArrayBuffer(head.indexBytes));
    const indexBytes = new Uint8Array(index.buffer);
    readSync(fd, indexBytes, 0, indexBytes.length, head.indexOffset);
    if (head.segment !== segment || crc32(indexBytes) !== head.indexChecksum)
      throw damagedEvidence(path, segment);
    return { path, fd, segment, contacts: head.contacts, index, checksum: head.checksum };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Once, by whoever opened it, when nobody reads from it any more. */
export const closeColdEvidence = ({ fd }: ColdEvidence): void => closeSync(fd);

/**
 * What the contact at this entry of the segment rests on: one or two reads of some 12 KiB.
 *
 * Throws `not-found` for an entry that the segment has not, `damaged` when its evidence was changed.
 */
export function contactAt(evidence: ColdEvidence, segment: Segment, entry: number): ColdContact {
  if (!Number.isInteger(entry) || entry < 0 || entry >= segment.entries)
    throw new FirebreakError('not-found', `segment ${segment.id} has no entry ${entry}`);
  const owner = ownerOf(segment, entry);
  const peer = segment.peer[entry] ?? 0;
  const key = [startAt(segment, entry), Math.min(owner, peer), Math.max(owner, peer)] as const;
  let skip = rankOf(segment, entry);
  for (let block = firstBlockFor(evidence.index, key); block < blocksIn(evidence); block++) {
    const read = readBlock(evidence, block);
    let at = firstRecordFor(read, key);
    for (; at < RECORD_WORDS * read.contacts && compare(read.words, at, key) === 0; at += RECORD_WORDS)
      if (skip-- === 0) return coldContact(read, at);
    if (at < RECORD_WORDS * read.contacts) break;
  }
  throw damagedEvidence(evidence.path, evidence.segment);
}

type Key = readonly [start: number, lower: number, upper: number];

const blocksIn = ({ index }: ColdEvidence): number => index.length / INDEX_WORDS;

/** Below, at or above zero as the three words at `at` come before the key, are the key, or come after it. */
function compare(words: Uint32Array, at: number, key: Key): number {
  for (let word = 0; word < 3; word++) {
    const difference = (words[at + word] ?? 0) - (key[word] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The last block that begins before the key: equal ones may begin at its end. */
function firstBlockFor(index: Uint32Array, key: Key): number {
  let [low, high] = [0, index.length / INDEX_WORDS];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(index, middle * INDEX_WORDS + AT.start, key) < 0) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

function firstRecordFor({ words, contacts }: EvidenceBlock, key: Key): number {
  let [low, high] = [0, contacts];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(words, middle * RECORD_WORDS, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low * RECORD_WORDS;
}

function readBlock({ fd, path, index }: ColdEvidence, block: number): EvidenceBlock {
  const bytes = new Uint8Array(index[block * INDEX_WORDS + AT.bytes] ?? 0);
  const read = readSync(fd, bytes, 0, bytes.length, offsetIn(index, block));
  return openBlock(path, index, block, bytes.subarray(0, read));
}

function coldContact({ words, details }: EvidenceBlock, at: number): ColdContact {
  const [start = 0, lower = 0, upper = 0, close = 0, far = 0, last = 0] = words.subarray(at);
  const flags = last >>> 24;
  const contact = {
    lower,
    upper,
    start,
    durationSeconds: durationOf(words, at),
    bucketSeconds: [close & 0xffff, close >>> 16, far & 0xffff, far >>> 16] as const,
    attenuationDb: (last >>> 16) & 0xff,
    mutual: (flags & MUTUAL) !== 0,
    partial: (flags & PARTIAL) !== 0,
  };
  if ((flags & DETAILED) !== 0) return { ...contact, ...decodeDetails(detailsOf(words, at, details)) };
  return { ...contact, epoch: asEpoch(Math.floor(start / EPOCH_SECONDS)), accounts: plainAccounts(contact) };
}

/** Past those of the detailed records before it. */
function detailsOf(words: Uint32Array, at: number, details: Uint8Array): Uint8Array {
  let from = 0;
  for (let record = 0; record < at; record += RECORD_WORDS)
    if ((flagsOf(words, record) & DETAILED) !== 0) from = detailsAt(details, from).next;
  return detailsAt(details, from).bytes;
}

function plainAccounts(contact: Omit<ColdContact, 'epoch' | 'accounts'>): SideAccounts {
  const { start, durationSeconds, bucketSeconds, attenuationDb, mutual, partial } = contact;
  const end = start + durationSeconds;
  const medianAttenuationDb = attenuationDb;
  const account: ColdAccount = { start, end, bucketSeconds, medianAttenuationDb, partial, ledger: [] };
  return [[account], mutual ? [account] : []];
}
