/** Reads an evidence file from its first contact to its last, a stretch of blocks at a time, each block checked. */
import { crc32 } from 'node:zlib';
import {
  AT,
  damagedEvidence,
  decodeEvidenceHead,
  DETAILED,
  detailsAt,
  EVIDENCE_HEAD_BYTES,
  flagsOf,
  INDEX_WORDS,
  offsetIn,
  openBlock,
  RECORD_WORDS,
} from './evidence-file.js';
import type { EvidenceBlock } from './evidence-file.js';
import type { StoreDisk } from './store-disk.js';

/** Read at once, at least one block. */
const READ_BYTES = 2 ** 20;

/** Stands at one record after another. */
export class EvidenceStream {
  readonly #disk: StoreDisk;
  readonly #fd: number;
  readonly #path: string;
  readonly #index: Uint32Array;
  readonly contacts: number;
  #blocks: EvidenceBlock[] = [];
  #nextBlock = 0;
  /** Of the record it stands at. */
  words: Uint32Array = new Uint32Array(0);
  at = 0;
  #details: Uint8Array = new Uint8Array(0);
  #detailsAt = 0;
  #left = 0;
  #done = false;

  constructor(disk: StoreDisk, fd: number, path: string, index: Uint32Array, contacts: number) {
    this.#disk = disk;
    this.#fd = fd;
    this.#path = path;
    this.#index = index;
    this.contacts = contacts;
  }

  get isDone(): boolean {
    return this.#done;
  }

  /** The details of the record it stands at, if it has any. */
  details(): Uint8Array | undefined {
    if ((flagsOf(this.words, this.at) & DETAILED) === 0) return undefined;
    return detailsAt(this.#details, this.#detailsAt).bytes;
  }

  /**
   * Goes on by one record as far as what was read reaches. When it gives false, {@link read} goes on, or it is
   * done.
   */
  step(): boolean {
    if (this.#left <= 1) return this.#enter(this.#blocks.shift());
    if ((flagsOf(this.words, this.at) & DETAILED) !== 0)
      this.#detailsAt = detailsAt(this.#details, this.#detailsAt).next;
    this.at += RECORD_WORDS;
    this.#left -= 1;
    return true;
  }

  /** Reads the next stretch and stands at its first record. Throws `damaged`. */
  async read(): Promise<void> {
    const total = this.#index.length / INDEX_WORDS;
    const first = this.#nextBlock;
    const from = offsetIn(this.#index, first);
    let [end, bytes] = [first, 0];
    while (end < total && (end === first || bytes < READ_BYTES))
      bytes += this.#index[end++ * INDEX_WORDS + AT.bytes] ?? 0;
    const read = new Uint8Array(bytes);
    const got = bytes === 0 ? 0 : await this.#disk.read(this.#fd, read, from);
    for (let block = first; block < end; block++) {
      const at = offsetIn(this.#index, block) - from;
      const size = this.#index[block * INDEX_WORDS + AT.bytes] ?? 0;
      const part = read.subarray(at, Math.min(at + size, got));
      this.#blocks.push(openBlock(this.#path, this.#index, block, part));
    }
    this.#nextBlock = end;
    this.#done = !this.#enter(this.#blocks.shift());
  }

  #enter(block: EvidenceBlock | undefined): boolean {
    if (block === undefined) return false;
    this.words = block.words;
    this.at = 0;
    this.#details = block.details;
    this.#detailsAt = 0;
    this.#left = block.contacts;
    return true;
  }
}

/**
 * Opens the evidence of this segment to be read through. Throws `damaged` for a file that is not whole or
 * another's.
 */
export async function openEvidenceStream(
  disk: StoreDisk,
  fd: number,
  path: string,
  segment: number,
): Promise<EvidenceStream> {
  const bytes = new Uint8Array(EVIDENCE_HEAD_BYTES);
  const size = await disk.size(fd);
  await disk.read(fd, bytes, 0);
  const head = decodeEvidenceHead(path, bytes, size);
  const index = new Uint32Array(head.indexBytes / 4);
  const indexBytes = new Uint8Array(index.buffer);
  await disk.read(fd, indexBytes, head.indexOffset);
  if (head.segment !== segment || crc32(indexBytes) !== head.indexChecksum)
    throw damagedEvidence(path, segment);
  const stream = new EvidenceStream(disk, fd, path, index, head.contacts);
  await stream.read();
  return stream;
}
