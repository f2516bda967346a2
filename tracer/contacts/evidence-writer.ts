/** Writes the blocks of an evidence file (evidence-file.ts). */
import { crc32 } from 'node:zlib';
import { BLOCK_CONTACTS, RECORD_BYTES, RECORD_WORDS } from './evidence-file.js';
import type { StoreDisk } from './store-disk.js';

/** Written at once. */
const WRITE_BYTES = 2 ** 20;

export interface WrittenBlocks {
  /** Of the file: evidence-file.ts. */
  readonly index: Uint32Array;
  readonly contacts: number;
}

/**
 * Hands a writer of blocks from `position` on to `use`; when this resolves, or rejects, nothing is being
 * written any more.
 */
export async function withEvidenceWriter(
  disk: StoreDisk,
  fd: number,
  position: number,
  use: (writer: EvidenceWriter) => Promise<void>,
): Promise<WrittenBlocks> {
  const writer = new EvidenceWriter(disk, fd, position);
  try {
    await use(writer);
    return await writer.end();
  } finally {
    await writer.settle();
  }
}

/** Writes evidence in its order, block by block. */
export class EvidenceWriter {
  readonly #disk: StoreDisk;
  readonly #fd: number;
  readonly #block = new Uint32Array(RECORD_WORDS * BLOCK_CONTACTS);
  #inBlock = 0;
  #details: Uint8Array[] = [];
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  /** Where in the file the next block goes. */
  #position: number;
  readonly #index: number[] = [];
  #contacts = 0;

  /** `position`: of the first block in the file. */
  constructor(disk: StoreDisk, fd: number, position: number) {
    this.#disk = disk;
    this.#fd = fd;
    this.#position = position;
  }

  /** Whether it is time to {@link flush}. */
  get isFull(): boolean {
    return this.#waitingBytes >= WRITE_BYTES;
  }

  /** The record at `at` of `words`; `details` when its flags say so. */
  add(words: Uint32Array, at: number, details?: Uint8Array): void {
    const to = RECORD_WORDS * this.#inBlock;
    for (let word = 0; word < RECORD_WORDS; word++) this.#block[to + word] = words[at + word] ?? 0;
    if (details !== undefined) this.#details.push(details);
    this.#inBlock += 1;
    this.#contacts += 1;
    if (this.#inBlock === BLOCK_CONTACTS) this.#endBlock();
  }

  /** Begins to write what is complete, when what was begun before is written. */
  async flush(): Promise<void> {
    await this.#writing;
    if (this.#waitingBytes === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writing = this.#disk.write(this.#fd, bytes, this.#position - bytes.length);
    // Whoever waits for it next is told.
    this.#writing.catch(() => undefined);
  }

  /** Resolves when nothing is being written, well or not. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  /** Writes what is left; gives the index of the blocks. */
  async end(): Promise<WrittenBlocks> {
    this.#endBlock();
    await this.flush();
    await this.#writing;
    return { index: Uint32Array.from(this.#index), contacts: this.#contacts };
  }

  #endBlock(): void {
    if (this.#inBlock === 0) return;
    const bytes = this.#blockBytes();
    const [start = 0, lower = 0, upper = 0] = this.#block;
    const [low, high] = [this.#position % 2 ** 32, Math.floor(this.#position / 2 ** 32)];
    this.#index.push(low, high, bytes.length, this.#inBlock, crc32(bytes), start, lower, upper);
    this.#position += bytes.length;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#inBlock = 0;
    this.#details = [];
  }

  #blockBytes(): Uint8Array {
    const records = Buffer.from(this.#block.buffer, 0, RECORD_BYTES * this.#inBlock);
    const parts = this.#details.flatMap((details) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(details.length);
      return [length, details];
    });
    return Buffer.concat([records, ...parts]);
  }
}
