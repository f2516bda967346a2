/**
 * The bytes of the files of payloads as they are once the ledger has started: what only the journal holds
 * goes over what is in the files. Nothing is held of them but the file last read, open.
 */
import { closeSync, constants, fstatSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_DISK, openIfThere } from '../store/disk.js';
import { PAYLOAD_FOLDER, payloadFileOf } from '../store/folder.js';
import type { PayloadPiece, PayloadPlace } from '../store/store-payloads.js';

interface OpenFile {
  readonly day: number;
  /** `undefined` when there is no such file. */
  readonly fd: number | undefined;
}

export class PayloadSource {
  readonly #dir: string;
  readonly #pieces: ReadonlyMap<string, Buffer>;
  readonly #ends = new Map<number, number>();
  #open: OpenFile | undefined;

  constructor(dir: string, pieces: readonly PayloadPiece[]) {
    this.#dir = dir;
    this.#pieces = new Map(pieces.map(({ day, offset, records }) => [`${day}/${offset}`, records]));
    for (const { day, offset, records } of pieces)
      this.#ends.set(day, Math.max(this.#ends.get(day) ?? 0, offset + records.length));
  }

  /** Bytes the file of a day will have. */
  size(day: number): number {
    const fd = this.#fdOf(day);
    return Math.max(this.#ends.get(day) ?? 0, fd === undefined ? 0 : fstatSync(fd).size);
  }

  /** The records there; fewer bytes when the file ends before. */
  read(day: number, { offset, length }: PayloadPlace): Buffer {
    const piece = this.#pieces.get(`${day}/${offset}`);
    if (piece !== undefined) return piece.subarray(0, length);
    const fd = this.#fdOf(day);
    const bytes = Buffer.alloc(fd === undefined ? 0 : Math.min(length, Math.max(0, this.size(day) - offset)));
    let at = 0;
    while (fd !== undefined && at < bytes.length) {
      const read = readSync(fd, bytes, at, bytes.length - at, offset + at);
      if (read === 0) break;
      at += read;
    }
    return bytes.subarray(0, at);
  }

  close(): void {
    if (this.#open?.fd !== undefined) closeSync(this.#open.fd);
    this.#open = undefined;
  }

  #fdOf(day: number): number | undefined {
    if (this.#open?.day === day) return this.#open.fd;
    this.close();
    const path = join(this.#dir, PAYLOAD_FOLDER, payloadFileOf(day));
    const fd = openIfThere(NODE_DISK, path, constants.O_RDONLY);
    this.#open = { day, fd };
    return fd;
  }
}
