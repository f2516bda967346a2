/**
 * LevelDB's log format (doc/log_format.md), which its write-ahead logs and its manifest have: blocks of 32 KiB that
 * hold records one after the other, large ones in parts.
 *
 *     record    masked CRC-32C of kind and data u32 | length u16 | kind u8: 1 whole, 2 first, 3 middle, 4 last | data
 *     block     records, then zeros when less than 7 bytes are left
 *
 * LevelDB takes whatever it cannot read at the end of a log for the rest of a write that was cut short, and drops it
 * without a word. Here that is only believed of bytes that no single flipped bit explains.
 */
import { asBuffer, isZero } from '../../protocol/bytes.js';
import { crcHolds, findFlippedBit } from './crc32c.js';

const BLOCK = 32_768;
const HEADER = 7;
/** Disks write whole sectors; after a power cut, those that were not written read as zeros. */
const SECTOR = 512;

const WHOLE = 1;
const FIRST = 2;
const LAST = 4;

export interface LogRecord {
  readonly offset: number;
  readonly data: Uint8Array;
}

export interface LogFault {
  readonly offset: number;
  readonly what: string;
}

export interface ScannedLog {
  readonly records: readonly LogRecord[];
  readonly faults: readonly LogFault[];
  /** Where a last write begins that was cut short. */
  readonly tornAt: number | undefined;
}

interface Part {
  readonly kind: number;
  readonly data: Uint8Array;
}

interface UnreadablePart {
  readonly what: string;
  /** Where the bit stands that explains it. */
  readonly offset: number;
  readonly torn: boolean;
}

const u32At = (bytes: Uint8Array, at: number): number => asBuffer(bytes).readUInt32LE(at);

const lengthAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8);

/** A length with another bit that makes the checksum hold: then the length is what was flipped. */
function hasFlippedLength(file: Uint8Array, at: number, limit: number): boolean {
  const length = lengthAt(file, at);
  for (let bit = 0; bit < 16; bit++) {
    const end = at + HEADER + (length ^ (1 << bit));
    if (end <= limit && crcHolds(file.subarray(at + 6, end), u32At(file, at))) return true;
  }
  return false;
}

/** Zeros to the end of the file from some sector on: that part was never written. */
function endsUnwritten(file: Uint8Array, at: number): boolean {
  let end = file.length;
  while (end > at && file[end - 1] === 0) end -= 1;
  const firstSector = Math.ceil(end / SECTOR) * SECTOR;
  return end === at || firstSector < file.length;
}

function unreadable(file: Uint8Array, at: number, blockEnd: number): UnreadablePart {
  const limit = Math.min(blockEnd, file.length);
  const end = at + HEADER + lengthAt(file, at);
  if (hasFlippedLength(file, at, limit))
    return { what: 'the length of a record has a flipped bit', offset: at + 4, torn: false };
  if (end > blockEnd)
    return { what: 'a record does not fit its block', offset: at + 4, torn: endsUnwritten(file, at) };
  if (end > file.length) return { what: 'a record is cut short', offset: at, torn: true };
  const flipped = findFlippedBit(file.subarray(at + 6, end), u32At(file, at));
  if (flipped === undefined)
    return { what: 'a record does not match its checksum', offset: at, torn: endsUnwritten(file, at) };
  const offset = flipped < 0 ? at : at + 6 + flipped;
  return { what: 'a record does not match its checksum: one bit was flipped', offset, torn: false };
}

function readPart(file: Uint8Array, at: number, blockEnd: number): Part | UnreadablePart {
  const end = at + HEADER + lengthAt(file, at);
  const readable = end <= Math.min(blockEnd, file.length);
  if (!readable || !crcHolds(file.subarray(at + 6, end), u32At(file, at)))
    return unreadable(file, at, blockEnd);
  const kind = file[at + 6] as number;
  if (kind >= WHOLE && kind <= LAST) return { kind, data: file.subarray(at + HEADER, end) };
  return { what: `a record is of the unknown kind ${kind}`, offset: at + 6, torn: false };
}

class LogScan {
  readonly records: LogRecord[] = [];
  readonly faults: LogFault[] = [];
  tornAt: number | undefined;
  readonly #file: Uint8Array;
  #open: { readonly offset: number; readonly parts: Uint8Array[] } | undefined;
  /** After a fault, parts of the record that it was in are passed over. */
  #lost = false;

  constructor(file: Uint8Array) {
    this.#file = file;
  }

  run(): ScannedLog {
    for (let at = 0; at < this.#file.length && this.tornAt === undefined;) at = this.#step(at);
    if (this.#open !== undefined) this.tornAt ??= this.#open.offset;
    return this;
  }

  /** Reads what stands at `at` and says where the next thing stands. */
  #step(at: number): number {
    const file = this.#file;
    const blockEnd = at - (at % BLOCK) + BLOCK;
    if (blockEnd - at < HEADER) return this.#skipPadding(at, blockEnd);
    if (file.length - at < HEADER) return this.#tear(at);
    const part = readPart(file, at, blockEnd);
    if ('kind' in part) {
      this.#join(at, part);
      return at + HEADER + part.data.length;
    }
    if (part.torn) return this.#tear(at);
    this.faults.push({ offset: part.offset, what: part.what });
    this.#open = undefined;
    this.#lost = true;
    return blockEnd;
  }

  #skipPadding(at: number, blockEnd: number): number {
    const end = Math.min(blockEnd, this.#file.length);
    if (!isZero(this.#file.subarray(at, end)))
      this.faults.push({ offset: at, what: 'the padding of a block is not zeros' });
    return blockEnd;
  }

  #tear(at: number): number {
    this.tornAt = this.#open?.offset ?? at;
    return this.#file.length;
  }

  #join(at: number, { kind, data }: Part): void {
    const begins = kind === WHOLE || kind === FIRST;
    if (this.#lost && !begins) return;
    this.#lost = false;
    if (begins === (this.#open !== undefined)) {
      this.faults.push({ offset: at, what: 'the parts of a record are out of order' });
      this.#open = undefined;
      this.#lost = !begins;
      if (!begins) return;
    }
    if (kind === WHOLE) this.records.push({ offset: at, data });
    else if (kind === FIRST) this.#open = { offset: at, parts: [data] };
    else this.#continue(kind, data);
  }

  #continue(kind: number, data: Uint8Array): void {
    const open = this.#open;
    if (open === undefined) return;
    open.parts.push(data);
    if (kind !== LAST) return;
    this.records.push({ offset: open.offset, data: Buffer.concat(open.parts) });
    this.#open = undefined;
  }
}

/** All records of a log file, and what cannot be read; after a fault it goes on with the next block. Pure. */
export function scanLog(file: Uint8Array): ScannedLog {
  return new LogScan(file).run();
}
