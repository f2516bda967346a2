/**
 * A report in pieces (protocol.md §7, "upload"): the first write is a header, then the bytes in order.
 *
 *     header (36)  total length u32 || H(report) 32
 *     piece        1 to 512 bytes, as the link allows
 */
import { ByteReader, ByteWriter, equalBytes } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { sha256 } from '../crypto/hash.js';
import { MAX_REPORT_BYTES } from '../tag/report.js';

const HEADER_BYTES = 36;
/** The longest attribute value (Bluetooth Core, Vol 3, Part F, 3.2.9). */
export const MAX_ATTRIBUTE_BYTES = 512;

export interface UploadHeader {
  readonly totalBytes: number;
  readonly reportHash: Uint8Array;
}

export function encodeUploadHeader(header: UploadHeader): Uint8Array {
  return new ByteWriter(HEADER_BYTES).u32(header.totalBytes).bytes(header.reportHash).finish();
}

/**
 * Any total: the assembler judges it, so that a header it refuses can be answered for its hash. Throws
 * `format` for another length.
 */
export function decodeUploadHeader(bytes: Uint8Array): UploadHeader {
  const reader = new ByteReader(bytes, 'upload header');
  const header = { totalBytes: reader.u32(), reportHash: reader.take(32) };
  reader.end();
  return header;
}

/** Every write of an upload, header first, for a link that carries `payloadBytes` a write. Throws `size` below 36. */
export function uploadWrites(report: Uint8Array, payloadBytes: number): Uint8Array[] {
  const size = Math.min(payloadBytes, MAX_ATTRIBUTE_BYTES);
  if (size < HEADER_BYTES)
    throw new FirebreakError('size', 'the link is too narrow for the header of an upload');
  const writes = [encodeUploadHeader({ totalBytes: report.length, reportHash: sha256(report) })];
  for (let offset = 0; offset < report.length; offset += size)
    writes.push(report.slice(offset, offset + size));
  return writes;
}

/** Puts one upload together; holds at most the announced length. */
export class UploadAssembler {
  readonly header: UploadHeader;
  readonly #bytes: Uint8Array;
  #received = 0;

  /** Throws `format` for a total of 0, or longer than any report can be. */
  constructor(header: UploadHeader) {
    const { totalBytes } = header;
    if (totalBytes === 0 || totalBytes > MAX_REPORT_BYTES)
      throw new FirebreakError('format', `an upload is 1 to ${MAX_REPORT_BYTES} bytes, not ${totalBytes}`);
    this.header = header;
    this.#bytes = new Uint8Array(header.totalBytes);
  }

  /** The whole report with its last piece, `undefined` before. Throws `format` for too many bytes or another hash. */
  add(piece: Uint8Array): Uint8Array | undefined {
    if (piece.length === 0 || this.#received + piece.length > this.header.totalBytes) {
      throw new FirebreakError(
        'format',
        'a piece of an upload is empty or reaches past its announced length',
      );
    }
    this.#bytes.set(piece, this.#received);
    this.#received += piece.length;
    if (this.#received < this.header.totalBytes) return undefined;
    if (equalBytes(sha256(this.#bytes), this.header.reportHash)) return this.#bytes;
    throw new FirebreakError('format', 'an upload does not have the hash it was announced with');
  }
}
