/**
 * Flash in a file, for a tag that runs as a process. It grows to 8 MiB and stays there.
 *
 *     header (64) ×2  "FBFLASH1" 8 || generation u32 || slots u32 || dropped u48 || zeros 38 || crc32 u32
 *     slot (64)       state u8 (a5 stored, 00 gone) || id u48 || zeros 3 || record 50 || crc32 of id to record u32
 *
 * Slot k holds the record whose id is k modulo the number of slots. Of the headers the sound one of the higher
 * generation counts. append() is synced before it returns; a write torn by a crash, or by a disk that filled up, fails its
 * checksum and is as if it had never begun, and may be made again. The state byte lies outside the checksum: forgetting a record changes one byte.
 */
import { closeSync, fdatasyncSync, fstatSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter, equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { FLASH_SLOTS, SLOT_BYTES, STORED_BYTES } from './flash.js';
import type { Flash, FlashEntry } from './flash.js';
import { openMemoryFlash } from './flash-memory.js';
import type { MemoryFlash } from './flash-memory.js';
import { writeWhole } from './write-whole.js';

const MAGIC = Uint8Array.from(Buffer.from('FBFLASH1', 'latin1'));
const HEADERS_BYTES = 2 * SLOT_BYTES;
const LIVE = 0xa5;
const GONE = 0x00;
const CHECKED_FROM = 1;
const CRC_AT = SLOT_BYTES - 4;

interface Header {
  readonly generation: number;
  readonly slots: number;
  readonly dropped: number;
}

export interface FlashFile extends Flash {
  /** Nothing was ever stored in it: an id that is remembered from before is of another. */
  readonly isNew: boolean;
}

/** Throws `foreign` for a file that is none of ours or of another size of ring. */
export function openFileFlash(path: string, slots: number = FLASH_SLOTS): FlashFile {
  const fd = openSync(path, openFlags(path), 0o600);
  try {
    return new RingFile(fd, path, slots);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function openFlags(path: string): string {
  try {
    closeSync(openSync(path, 'r+'));
    return 'r+';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'wx+';
    throw new FirebreakError('permission', `cannot open the encounter log ${path}`, { cause: error });
  }
}

class RingFile implements FlashFile {
  readonly #fd: number;
  readonly #slots: number;
  readonly #memory: MemoryFlash;
  #generation = 0;
  /** What the newest header on disk says. */
  #countedDropped = 0;

  constructor(fd: number, path: string, slots: number) {
    this.#fd = fd;
    this.#slots = slots;
    this.#memory = openMemoryFlash(slots);
    const bytes = readAll(fd);
    if (isBlank(bytes, slots)) this.#writeHeader();
    else this.#load(bytes, path);
  }

  get isNew(): boolean {
    return this.#memory.nextId === 0;
  }

  get stored(): number {
    return this.#memory.stored;
  }

  get dropped(): number {
    return this.#memory.dropped;
  }

  append(records: readonly Uint8Array[]): void {
    if (records.length === 0) return;
    this.#countDropped();
    const { nextId } = this.#memory;
    records.forEach((record, index) => this.#writeSlot(nextId + index, record));
    fdatasyncSync(this.#fd);
    this.#memory.append(records); // after the disk has them: an append that threw is made again in the same slots
    try {
      this.#countDropped();
    } catch {
      // The records are stored, and must not be stored again. The count is written before the next change.
    }
  }

  entries(): Iterable<FlashEntry> {
    return this.#memory.entries();
  }

  free(ids: Iterable<number>): void {
    const gone = [...ids].filter((id) => this.#memory.has(id));
    this.#markGone(gone);
    this.#memory.free(gone);
  }

  drop(ids: Iterable<number>): void {
    const gone = [...ids].filter((id) => this.#memory.has(id));
    this.#markGone(gone);
    this.#memory.drop(gone);
    this.#countDropped();
  }

  close(): void {
    try {
      this.#countDropped();
    } finally {
      closeSync(this.#fd);
    }
  }

  #countDropped(): void {
    if (this.#memory.dropped !== this.#countedDropped) this.#writeHeader();
  }

  #markGone(ids: readonly number[]): void {
    for (const id of ids) writeWhole(this.#fd, Uint8Array.of(GONE), this.#positionOf(id));
    if (ids.length > 0) fdatasyncSync(this.#fd);
  }

  #writeSlot(id: number, record: Uint8Array): void {
    writeWhole(this.#fd, encodeSlot(id, record), this.#positionOf(id));
  }

  /** One that failed may have torn its place: it is written there again, and the sound one beside it stays. */
  #writeHeader(): void {
    const generation = this.#generation + 1;
    const { dropped } = this.#memory;
    const header = encodeHeader({ generation, slots: this.#slots, dropped });
    writeWhole(this.#fd, header, (generation % 2) * SLOT_BYTES);
    fdatasyncSync(this.#fd);
    this.#generation = generation;
    this.#countedDropped = dropped;
  }

  #load(bytes: Uint8Array, path: string): void {
    const header = newestHeader(bytes);
    if (header?.slots !== this.#slots) {
      throw new FirebreakError(
        'foreign',
        `${path} is not an encounter log of ${this.#slots} records: it may be moved away, and a new one is made; what it holds that was not delivered is lost then`,
      );
    }
    this.#generation = header.generation;
    const slots = slotsOf(bytes);
    const nextId = slots.reduce((most, { id }) => Math.max(most, id + 1), 0);
    const stored = slots.filter(({ isLive, id }) => isLive && id >= nextId - this.#slots);
    this.#memory.restore(stored, nextId, header.dropped);
    this.#countedDropped = header.dropped;
  }

  #positionOf(id: number): number {
    return HEADERS_BYTES + (id % this.#slots) * SLOT_BYTES;
  }
}

/** Empty, or cut off before its first header was whole on disk: by a loss of power, or a disk that was full. */
function isBlank(bytes: Uint8Array, slots: number): boolean {
  const first = encodeHeader({ generation: 1, slots, dropped: 0 });
  const isPart = (byte: number, at: number): boolean => byte === 0 || byte === first[at - SLOT_BYTES];
  return bytes.length <= HEADERS_BYTES && bytes.every(isPart);
}

function readAll(fd: number): Uint8Array {
  const bytes = new Uint8Array(fstatSync(fd).size);
  let at = 0;
  while (at < bytes.length) {
    const read = readSync(fd, bytes, at, bytes.length - at, at);
    if (read === 0) break;
    at += read;
  }
  return bytes.subarray(0, at);
}

function encodeHeader(header: Header): Uint8Array {
  const body = new ByteWriter(SLOT_BYTES)
    .bytes(MAGIC)
    .u32(header.generation)
    .u32(header.slots)
    .u48(header.dropped)
    .bytes(new Uint8Array(42))
    .finish();
  return withChecksum(body, 0);
}

function newestHeader(bytes: Uint8Array): Header | undefined {
  const headers = [0, 1]
    .map((index) => headerAt(bytes, index * SLOT_BYTES))
    .filter((header) => header !== undefined);
  return headers.sort((a, b) => b.generation - a.generation)[0];
}

function headerAt(bytes: Uint8Array, at: number): Header | undefined {
  const header = bytes.subarray(at, at + SLOT_BYTES);
  if (!isSound(header, 0) || !equalBytes(header.subarray(0, MAGIC.length), MAGIC)) return undefined;
  const reader = new ByteReader(header.subarray(MAGIC.length), 'header of an encounter log');
  return { generation: reader.u32(), slots: reader.u32(), dropped: reader.u48() };
}

function encodeSlot(id: number, record: Uint8Array): Uint8Array {
  const zeros = new Uint8Array(3);
  const slot = new ByteWriter(SLOT_BYTES).u8(LIVE).u48(id).bytes(zeros).bytes(record).u32(0).finish();
  return withChecksum(slot, CHECKED_FROM);
}

/** Every sound slot, in order of id; torn ones and those never written are passed over. */
function slotsOf(bytes: Uint8Array): (FlashEntry & { readonly isLive: boolean })[] {
  const slots: (FlashEntry & { readonly isLive: boolean })[] = [];
  for (let at = HEADERS_BYTES; at + SLOT_BYTES <= bytes.length; at += SLOT_BYTES) {
    const slot = bytes.subarray(at, at + SLOT_BYTES);
    if (!isSound(slot, CHECKED_FROM)) continue;
    const reader = new ByteReader(slot, 'slot of an encounter log');
    const isLive = reader.u8() === LIVE;
    const id = reader.u48();
    reader.take(3);
    slots.push({ isLive, id, bytes: reader.take(STORED_BYTES) });
  }
  return slots.sort((a, b) => a.id - b.id);
}

function withChecksum(block: Uint8Array, from: number): Uint8Array {
  new DataView(block.buffer, block.byteOffset).setUint32(CRC_AT, crc32(block.subarray(from, CRC_AT)));
  return block;
}

/** A block of zeros, as a hole in the file reads, has no sound checksum. */
function isSound(block: Uint8Array, from: number): boolean {
  if (block.length !== SLOT_BYTES) return false;
  const view = new DataView(block.buffer, block.byteOffset);
  return view.getUint32(CRC_AT) === crc32(block.subarray(from, CRC_AT)) && block.some((byte) => byte !== 0);
}
