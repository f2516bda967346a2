/**
 * Frames on the socket of a hosted air, both ways:
 *
 *     length u32, big-endian || that many bytes of JSON (UTF-8)
 *
 * A frame is at most MAX_FRAME_BYTES: an attribute in hex fits thrice over. Bytes travel as lowercase hex.
 */
import { FirebreakError } from '../../protocol/errors.js';

export const MAX_FRAME_BYTES = 4096;
const HEADER_BYTES = 4;

/** Throws `size` beyond MAX_FRAME_BYTES. */
export function encodeFrame(message: object): Uint8Array {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  if (body.length > MAX_FRAME_BYTES)
    throw new FirebreakError('size', 'a message is too long for the air socket');
  const frame = Buffer.allocUnsafe(HEADER_BYTES + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, HEADER_BYTES);
  return frame;
}

/** Cuts a byte stream into messages. Holds at most one unfinished frame. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array(0);

  /** The messages that `chunk` completes. Throws `format` for a frame too long or not JSON; the stream is lost then. */
  push(chunk: Uint8Array): unknown[] {
    const bytes =
      this.#rest.length === 0
        ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
        : Buffer.concat([this.#rest, chunk]);
    const messages: unknown[] = [];
    let offset = 0;
    for (let end = frameEnd(bytes, offset); end !== undefined; end = frameEnd(bytes, offset)) {
      messages.push(parse(bytes.toString('utf8', offset + HEADER_BYTES, end)));
      offset = end;
    }
    this.#rest = bytes.subarray(offset);
    return messages;
  }
}

/** Where the frame that starts at `offset` ends; undefined while it is not all there. */
function frameEnd(bytes: Buffer, offset: number): number | undefined {
  if (bytes.length - offset < HEADER_BYTES) return undefined;
  const length = bytes.readUInt32BE(offset);
  if (length > MAX_FRAME_BYTES) throw new FirebreakError('format', 'a frame on the air socket is too long');
  const end = offset + HEADER_BYTES + length;
  return bytes.length < end ? undefined : end;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FirebreakError('format', 'a frame on the air socket is not JSON', { cause: error });
  }
}
